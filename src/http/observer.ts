import type { FastifyReply, FastifyRequest } from "fastify";

/** Sees requests go by. Its calls must not throw, and take their time from every request. */
export interface RequestObserver {
  /** Around the handling of a request whose route exists. What `handle` gives is to be given back. */
  readonly handling?: ((request: FastifyRequest, handle: Handling) => Promise<FastifyReply>) | undefined;

  /** Once its answer is sent, or its client has gone. Not told of what waited behind others on a connection that closed. */
  readonly answered?: ((request: FastifyRequest, reply: FastifyReply) => void) | undefined;
}

export type Handling = () => Promise<FastifyReply>;

/** The first of them is outermost. */
export function aroundHandling(observers: readonly RequestObserver[]): RequestObserver["handling"] {
  return observers
    .flatMap(({ handling }) => handling ?? [])
    .reduceRight<RequestObserver["handling"]>(
      (inner, outer) => (inner ? (request, handle) => outer(request, () => inner(request, handle)) : outer),
      undefined,
    );
}

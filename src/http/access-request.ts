import type { IncomingHttpHeaders } from "node:http";
import type { AccessRequest } from "../auth/access-controller.ts";
import { baseUrl, type Edge } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import { trustedAddress } from "./forwarding.ts";

/** What an access controller may know of a request, found out where it asks. */
export class ExchangeAccess implements AccessRequest {
  readonly #edge: Edge;
  readonly #exchange: Exchange;

  constructor(edge: Edge, exchange: Exchange) {
    this.#edge = edge;
    this.#exchange = exchange;
  }

  get headers(): IncomingHttpHeaders {
    return this.#exchange.request.headers;
  }

  get address(): string | undefined {
    return trustedAddress(this.#exchange.request);
  }

  readonly base = (): string => baseUrl(this.#edge, this.#exchange.request, this.#exchange.target);
}

import type { Handler } from "./edge.ts";

/** Load balancers ask for it; it says nothing but that we answer. */
export const getRoot: Handler = (_edge, { reply }) => reply.header("cache-control", "no-cache").send();

/** Clients ask for it first to learn that this is a registry and whether they have to log in. */
export const getBase: Handler = (_edge, { reply }) => reply.header("content-type", "application/json").send(EMPTY);

const EMPTY: Buffer = Buffer.from("{}");

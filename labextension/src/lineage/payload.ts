/** What travels from `rms_jupyter.handles.drawing` and `.details`? */

export const MIME_TYPE = 'application/vnd.rms.lineage.v1+json';

/** Which part of a lineage is drawn; ids are strings. */
export interface View {
  id: string;
  up: boolean;
  down: boolean;
  depth: number | null;
  apart: string[];
  further: string[];
}

/** A box: one node, or many alike; `above` and `below` count what is next to it and not drawn. */
export interface Box {
  id: string;
  kind: 'task' | 'file' | 'value' | 'given';
  label: string;
  sub: string;
  title: string;
  status: string;
  count: number;
  members: string[];
  x: number;
  y: number;
  width: number;
  above: number;
  below: number;
  sql: string;
}

/** From one box to another, by their numbers. */
export interface Link {
  from: number;
  to: number;
  path: string;
  role: string;
  times: number;
}

export interface Payload {
  store: string;
  view: View;
  width: number;
  height: number;
  boxHeight: number;
  nodes: Box[];
  links: Link[];
  text: string;
  sql: string;
}

export interface Row {
  id: string;
  role: string;
  what: string;
  status: string;
}

export type Glimpse =
  | { kind: 'text'; text: string }
  | { kind: 'image'; type: string; data: string }
  | { kind: 'table'; columns: string[]; rows: string[][]; total: number };

export interface Details {
  id: string;
  kind: Box['kind'];
  title: string;
  status: string;
  facts: [string, string][];
  arguments?: [string, string][];
  inputs?: { total: number; rows: Row[] };
  outputs?: { total: number; rows: Row[] };
  code?: [string, string][];
  changes?: { since: string; lines: string[] } | null;
  log?: string;
  failure?: string;
  glimpse?: Glimpse | null;
}

export interface Hit {
  id: string;
  what: string;
  kind: Box['kind'];
  status: string;
  place: number | null;
}

export interface Found {
  total: number;
  drawn: Record<string, number>;
  hits: Hit[];
}

export const FINE = new Set(['done', 'current']);

/** How is the id of a task written for people?  As `rms_jupyter.naming.short_id` writes it, and any command takes it. */

const SCRAMBLED_BY = 0x9e3779b97f4a7c15n;

export function shortId(id: string): string {
  const scrambled = BigInt.asUintN(64, BigInt(id) * SCRAMBLED_BY);
  return `t${scrambled.toString(16).padStart(16, '0').slice(0, 7)}`;
}

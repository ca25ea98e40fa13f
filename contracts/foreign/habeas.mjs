// What a connector in another language needs, in Node without packages: keys, proof, seal, announcement and report.
// `node contracts/foreign/habeas.mjs` checks it against contracts/vectors and says how many hold.

import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

/** The keys that an enrolment secret gives for the key id `<processor>/<version>`. */
export function keysOf(secret, kid) {
  const derive = (info) => Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), info, 32));
  return { kid, sealing: derive(`habeas seal ${kid}`), proving: derive(`habeas proof ${kid}`) };
}

/** The bytes that a proof covers; `headers` is an object of strings, `body` the record's raw value. */
export function signingInput({ kid, topic, key, headers, body }) {
  const names = Object.keys(headers).filter((name) => name.startsWith("ce_")).sort();
  const parts = ["habeas-proof-v1", kid, topic, key, ...names.flatMap((name) => [name, headers[name]]), body];
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** The value of the header `habeas-proof` for a message that you send. */
export function prove(keys, message) {
  const mac = createHmac("sha256", keys.proving).update(signingInput({ kid: keys.kid, ...message })).digest("base64url");
  return `v1;kid=${keys.kid};mac=${mac}`;
}

/** Whether the proof of a message that you received holds; if not, believe nothing of it. */
export function holds(keys, proof, message) {
  const expected = Buffer.from(prove(keys, message));
  const given = Buffer.from(proof ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** Open a seal (compact JWE, A256KW and A256GCM); throws when it is not for these keys or was changed. */
export function unseal(keys, jwe) {
  const parts = jwe.split(".");
  if (parts.length !== 5) throw new Error("not a seal");
  const [head, wrapped, iv, ciphertext, tag] = parts.map((part) => Buffer.from(part, "base64url"));
  const header = JSON.parse(head);
  const exact = header.alg === "A256KW" && header.enc === "A256GCM" && header.kid === keys.kid;
  if (!exact || Object.keys(header).length !== 3 || tag.length !== 16) throw new Error("not a seal for this key");
  const unwrap = createDecipheriv("id-aes256-wrap", keys.sealing, Buffer.alloc(8, 0xa6));
  const contentKey = Buffer.concat([unwrap.update(wrapped), unwrap.final()]);
  const open = createDecipheriv("aes-256-gcm", contentKey, iv, { authTagLength: 16 });
  open.setAAD(Buffer.from(parts[0])).setAuthTag(tag);
  return JSON.parse(Buffer.concat([open.update(ciphertext), open.final()]));
}

/** Seal what a report tells about the subject (SealedFindings), with a fresh content key. */
export function seal(keys, payload) {
  const protectedHeader = Buffer.from(JSON.stringify({ alg: "A256KW", enc: "A256GCM", kid: keys.kid })).toString("base64url");
  const contentKey = randomBytes(32);
  const wrap = createCipheriv("id-aes256-wrap", keys.sealing, Buffer.alloc(8, 0xa6));
  const wrapped = Buffer.concat([wrap.update(contentKey), wrap.final()]);
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", contentKey, iv, { authTagLength: 16 }).setAAD(Buffer.from(protectedHeader));
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(payload)), cipher.final()]);
  return [protectedHeader, ...[wrapped, iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"))].join(".");
}

/** Dispositions of what was done. */
export const DONE = ["erased", "anonymised", "suppressed", "exported", "rectified", "restricted", "lifted", "stopped", "already_done"];

/** The one word above the lines of an outcome. */
export function headlineOf(lines) {
  const present = new Set(lines.map((line) => line.disposition));
  const done = DONE.some((one) => present.has(one));
  if (present.has("failed")) return done || present.has("retained") ? "partly_fulfilled" : "not_fulfilled";
  const asked = [...present].some((one) => one !== "not_applicable");
  const unsearched = lines.some((line) => line.disposition === "not_applicable" && line.reason === "no_accepted_identity");
  if (unsearched || (present.size && !asked)) return asked ? "partly_fulfilled" : "not_fulfilled";
  if (done && present.has("refused")) return "partly_fulfilled";
  if (done) return present.has("retained") ? "fulfilled_with_retention" : "fulfilled";
  return present.has("refused") || present.has("retained") ? "refused" : "nothing_found";
}

/**
 * Believe a record of your task topic: `{ task, subject }`, without a subject where there is nothing to begin. What throws
 * is to be kept, and nothing else may be done. See to `task.action`, `task.follows` and `task.retention` yourself.
 */
export function believe(keys, { topic, key, headers, body }) {
  if (!holds(keys, headers["habeas-proof"], { topic, key, headers, body })) throw new Error("unproven");
  const task = JSON.parse(body);
  if (task.processor !== keys.kid.split("/")[0]) throw new Error("task of another processor");
  if (headers.ce_type !== "dev.habeas.task.dispatched.v1") return { task, subject: null }; // cancelled, closed
  if (new Date(task.not_after) < new Date()) return { task, subject: null }; // an old record that came again
  const subject = unseal(keys, task.sealed);
  if (subject.task !== task.task_id) throw new Error("seal of another task");
  return { task, subject };
}

function message(keys, kind, { topic, key, eventId = randomUUID() }, content) {
  const body = Buffer.from(JSON.stringify(content));
  const headers = {
    "ce_specversion": "1.0",
    "ce_id": eventId,
    "ce_type": `dev.habeas.${kind}.v1`,
    "ce_source": `/connectors/${content.processor}`,
    "ce_time": content.at,
    "ce_subject": key,
    "content-type": "application/json",
  };
  headers["habeas-proof"] = prove(keys, { topic, key, headers, body });
  return { topic, key, headers, body };
}

/** The record that announces a processor of the enrolled `kind`; its incarnation changes with the manifest as written. */
export function announced(keys, kind, manifest, { topic = "habeas.processors.v1" } = {}) {
  const [processor, version] = keys.kid.split("/");
  const key_versions = [Number(version)];
  const told = { kind, ...manifest };
  const incarnation = createHash("sha256").update(JSON.stringify([told, key_versions])).digest("hex");
  const at = new Date().toISOString();
  const content = { livemode: true, processor, kind, manifest: told, manifest_version: told.version, key_versions, incarnation, at };
  return message(keys, "processor.announced", { topic, key: processor }, content);
}

/** The one line of an outcome that speaks of the processor as a whole. */
export function aboutAll(disposition, checked, reason = null) {
  return [{ category: "all", disposition, count: 0, checked, reason }];
}

/** The record that settles a task. `more` adds members of task.settled: effects, attempts, export, sealed. */
export function settled(keys, task, lines, { topic = "habeas.reports.v1", eventId, ...more } = {}) {
  const at = new Date().toISOString();
  const { livemode, task_id, request_id, processor, dispatch_no } = task;
  const outcome = { headline: headlineOf(lines), lines };
  const content = { livemode, task_id, request_id, processor, dispatch_no, at, outcome, ...more };
  return message(keys, "task.settled", { topic, key: request_id, eventId }, content);
}

function vectors(name) {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url)));
}

function must(holding, what) {
  if (!holding) throw new Error(`does not hold: ${what}`);
  return 1;
}

function refuses(work) {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}

function checkAll() {
  let count = 0;
  for (const one of vectors("keys").keys) {
    const keys = keysOf(Buffer.from(one.secret_base64, "base64"), one.kid);
    count += must(keys.sealing.toString("hex") === one.sealing_hex, `sealing key ${one.kid}`);
    count += must(keys.proving.toString("hex") === one.proving_hex, `proving key ${one.kid}`);
  }
  for (const one of vectors("proof").proofs) {
    const keys = { kid: one.kid, proving: Buffer.from(one.key_hex, "hex") };
    const message = { topic: one.topic, key: one.record_key, headers: one.headers, body: Buffer.from(one.body_base64, "base64") };
    const digest = createHash("sha256").update(signingInput({ kid: one.kid, ...message })).digest("hex");
    count += must(digest === one.signing_input_sha256, `signing input: ${one.name}`);
    count += must(holds(keys, one.proof, message), `proof: ${one.name}`);
    count += must(!holds(keys, one.proof, { ...message, topic: `${one.topic}x` }), `another topic: ${one.name}`);
  }
  const { opens, refused } = vectors("seal");
  for (const one of opens) {
    const keys = { kid: one.kid, sealing: Buffer.from(one.key_hex, "hex") };
    const plain = JSON.parse(one.plaintext);
    count += must(JSON.stringify(unseal(keys, one.jwe)) === JSON.stringify(plain), `opens: ${one.name}`);
    count += must(JSON.stringify(unseal(keys, seal(keys, plain))) === JSON.stringify(plain), `seals: ${one.name}`);
  }
  for (const one of refused) {
    const keys = { kid: one.kid, sealing: Buffer.from(one.key_hex, "hex") };
    count += must(refuses(() => unseal(keys, one.jwe)), `refused: ${one.name}`);
  }
  return count;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  if (argv[2] === "seal") {
    const [, , , keyHex, kid, payload] = argv; // prints a seal, for whoever wants to open one that Node made
    console.log(seal({ kid, sealing: Buffer.from(keyHex, "hex") }, JSON.parse(payload)));
  } else {
    console.log(`${checkAll()} hold`);
  }
}

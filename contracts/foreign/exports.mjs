// An export in Node without packages: blocks of contracts/exports.py in the frames of contracts/frames.py, of any size
// in flat memory. `node contracts/foreign/exports.mjs` checks it against contracts/vectors and says how many hold.

import { createCipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const MAGIC = Buffer.from("HABEAS\x00\x01", "latin1");
const LABEL = "habeas export frames v1";
const CHUNK = 65_536; // bytes of plaintext in each frame but the last
const MOST_DATA = 1 << 20; // bytes in one D block
const MOST_BLOCK = 16 << 20; // bytes in any block

/** Where an attempt writes; `attempt` counts up for one task and is never used again. */
export function pathOf(taskId, attempt) {
  return `exports/${taskId}/${String(attempt).padStart(10, "0")}.habeas`;
}

/** One attempt's object. `key` is the `export_key` of the task's seal, `write` takes the bytes to store, in order. */
export class ExportWriter {
  #pending = Buffer.alloc(0);
  #frames = 0n;
  #size = 0;
  #digest = createHash("sha256");
  #counts = { records: 0, files: 0 };

  constructor(key, write, salt = randomBytes(32)) {
    this.write = write;
    this.header = Buffer.concat([MAGIC, salt]);
    this.key = Buffer.from(hkdfSync("sha256", Buffer.from(key, "base64url"), salt, LABEL, 32));
    this.#store(this.header);
  }

  /** A record of a category of your manifest; `fields` are JSON values. */
  record(category, fields) {
    this.#json("R", { category, fields });
    this.#counts.records += 1;
  }

  /** A file, from any iterable of bytes, plain or async. */
  async file(category, mediaType, chunks) {
    this.#json("F", { category, media_type: mediaType });
    let bytes = 0;
    for await (const chunk of chunks) {
      for (let start = 0; start < chunk.length; start += MOST_DATA) {
        this.#block("D", chunk.subarray(start, start + MOST_DATA));
      }
      bytes += chunk.length;
    }
    this.#json("E", { bytes });
    this.#counts.files += 1;
  }

  /** End the object; returns the receipt for `export` of task.settled. */
  end(attempt) {
    this.#json("Z", this.#counts);
    this.#frame(this.#pending, true);
    return { attempt, size: this.#size, sha256: this.#digest.digest("hex"), ...this.#counts };
  }

  #json(kind, value) {
    this.#block(kind, Buffer.from(JSON.stringify(value)));
  }

  #block(kind, payload) {
    if (payload.length > MOST_BLOCK) throw new Error("too large for one record: export it as a file");
    const head = Buffer.alloc(5);
    head.write(kind, "latin1");
    head.writeUInt32BE(payload.length, 1);
    this.#pending = Buffer.concat([this.#pending, head, payload]);
    let start = 0;
    for (; this.#pending.length - start > CHUNK; start += CHUNK) {
      this.#frame(this.#pending.subarray(start, start + CHUNK), false); // never the last: something stands behind it
    }
    this.#pending = Buffer.from(this.#pending.subarray(start));
  }

  #frame(plain, final) {
    const nonce = Buffer.alloc(12);
    nonce.writeBigUInt64BE(this.#frames, 3);
    nonce[11] = final ? 1 : 0;
    this.#frames += 1n;
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce, { authTagLength: 16 }).setAAD(this.header);
    this.#store(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
  }

  #store(bytes) {
    this.#size += bytes.length;
    this.#digest.update(bytes);
    this.write(bytes);
  }
}

/** The pieces that a vector's files were written in, by file: how bytes are cut into D blocks is the writer's choice. */
function pieces(blocks) {
  const files = [];
  for (let at = 0; at < blocks.length; ) {
    const [kind, length] = [String.fromCharCode(blocks[at]), blocks.readUInt32BE(at + 1)];
    if (kind === "F") files.push([]);
    if (kind === "D") files.at(-1).push(blocks.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return files;
}

async function checkAll() {
  const { export_key_hex, exports } = JSON.parse(readFileSync(new URL("../vectors/exports.json", import.meta.url)));
  let count = 0;
  for (const one of exports) {
    const stored = [];
    const key = Buffer.from(export_key_hex, "hex").toString("base64url");
    const writer = new ExportWriter(key, (bytes) => stored.push(bytes), Buffer.from(one.salt_hex, "hex"));
    const files = pieces(Buffer.from(one.blocks_hex, "hex"));
    for (const { record, file } of one.things) {
      if (record) writer.record(record.category, record.fields);
      else await writer.file(file.category, file.media_type, files.shift());
    }
    const receipt = JSON.stringify(writer.end(one.receipt.attempt));
    const same = receipt === JSON.stringify(one.receipt) && Buffer.concat(stored).toString("hex") === one.sealed_hex;
    if (!same) throw new Error(`does not hold: ${one.name}`);
    count += 1;
  }
  return count;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`${await checkAll()} hold`);
}

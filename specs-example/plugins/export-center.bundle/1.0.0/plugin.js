"use strict";
var plugin = (() => {
  var __defProp = Object.defineProperty;
  var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
  var __getOwnPropNames = Object.getOwnPropertyNames;
  var __hasOwnProp = Object.prototype.hasOwnProperty;
  var __export = (target, all) => {
    for (var name in all)
      __defProp(target, name, { get: all[name], enumerable: true });
  };
  var __copyProps = (to, from, except, desc) => {
    if (from && typeof from === "object" || typeof from === "function") {
      for (let key of __getOwnPropNames(from))
        if (!__hasOwnProp.call(to, key) && key !== except)
          __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
    }
    return to;
  };
  var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

  // sandbox/plugins/export-center.bundle/plugin.ts
  var plugin_exports = {};
  __export(plugin_exports, {
    default: () => plugin_default
  });

  // node_modules/modern-tar/dist/packer-By1HVV7Z.js
  var TYPEFLAG = {
    file: "0",
    link: "1",
    symlink: "2",
    "character-device": "3",
    "block-device": "4",
    directory: "5",
    fifo: "6",
    "pax-header": "x",
    "pax-global-header": "g",
    "gnu-long-name": "L",
    "gnu-long-link-name": "K"
  };
  var ZERO_BLOCK = /* @__PURE__ */ new Uint8Array(512);
  var EMPTY = /* @__PURE__ */ new Uint8Array(0);
  var encoder = new TextEncoder();
  var decoder = new TextDecoder();
  function writeString(view, offset, size, value) {
    if (!value) return;
    for (let i = 0; i < value.length && i < size; i++) {
      const charCode = value.charCodeAt(i);
      if (charCode > 127) {
        encoder.encodeInto(value, view.subarray(offset, offset + size));
        return;
      }
      view[offset + i] = charCode;
    }
  }
  function writeOctal(view, offset, size, value) {
    if (value === void 0) return;
    let remaining = value;
    for (let i = offset + size - 2; i >= offset; i--) {
      view[i] = 48 + remaining % 8;
      remaining = Math.floor(remaining / 8);
    }
    if (remaining === 0 && value % 1 === 0) return;
    encoder.encodeInto(value.toString(8).padStart(size - 1, "0"), view.subarray(offset, offset + size - 1));
  }
  var isBodyless = (header) => header.type === "directory" || header.type === "symlink" || header.type === "link" || header.type === "character-device" || header.type === "block-device" || header.type === "fifo";
  async function normalizeBody(body) {
    if (body === null || body === void 0) return EMPTY;
    if (body instanceof Uint8Array) return body;
    if (typeof body === "string") return encoder.encode(body);
    if (body instanceof ArrayBuffer) return new Uint8Array(body);
    if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
    throw new TypeError("Unsupported content type for entry body.");
  }
  var CHECKSUM_SPACE = 32;
  var ASCII_ZERO = 48;
  function writeChecksum(block) {
    block.fill(CHECKSUM_SPACE, 148, 156);
    let checksum = 0;
    for (let i = block.length; i > 0; ) checksum += block[--i];
    for (let i = 153; i >= 148; i--) {
      block[i] = (checksum & 7) + ASCII_ZERO;
      checksum >>= 3;
    }
    block[154] = 0;
    block[155] = CHECKSUM_SPACE;
  }
  var USTAR_SPLIT_MAX_SIZE = 256;
  var NON_ASCII = /[^\x00-\x7f]/;
  function isUtf8TooLong(value, limit) {
    if (value.length * 3 <= limit) return false;
    if (value.length > limit) return true;
    if (!NON_ASCII.test(value)) return false;
    return encoder.encode(value).length > limit;
  }
  function generatePax(header) {
    const paxRecords = {};
    if (isUtf8TooLong(header.name, 100)) {
      if (findUstarSplit(header.name) === null) paxRecords.path = header.name;
    }
    if (header.linkname && isUtf8TooLong(header.linkname, 100)) paxRecords.linkpath = header.linkname;
    if (header.uname && isUtf8TooLong(header.uname, 32)) paxRecords.uname = header.uname;
    if (header.gname && isUtf8TooLong(header.gname, 32)) paxRecords.gname = header.gname;
    if (header.uid != null && header.uid > 2097151) paxRecords.uid = String(header.uid);
    if (header.gid != null && header.gid > 2097151) paxRecords.gid = String(header.gid);
    if (header.pax) Object.assign(paxRecords, header.pax);
    if (header.size > 8589934591 || "size" in paxRecords) paxRecords.size = String(header.size);
    const paxEntries = Object.entries(paxRecords);
    if (paxEntries.length === 0) return null;
    const paxBody = encoder.encode(paxEntries.map(([key, value]) => {
      const record = `${key}=${value}
`;
      const partLength = encoder.encode(record).length + 1;
      let totalLength = partLength + String(partLength).length;
      totalLength = partLength + String(totalLength).length;
      return `${totalLength} ${record}`;
    }).join(""));
    return {
      paxHeader: createTarHeader({
        name: decoder.decode(encoder.encode(`PaxHeader/${header.name}`).slice(0, 100)),
        size: paxBody.length,
        type: "pax-header",
        mode: 420,
        mtime: header.mtime,
        uname: header.uname,
        gname: header.gname,
        uid: header.uid,
        gid: header.gid
      }),
      paxBody
    };
  }
  function findUstarSplit(path) {
    if (!isUtf8TooLong(path, 100) || isUtf8TooLong(path, USTAR_SPLIT_MAX_SIZE)) return null;
    for (let i = path.length - 1; i > 0; i--) {
      if (path[i] !== "/") continue;
      const prefix = path.slice(0, i);
      const name = path.slice(i + 1);
      if (!isUtf8TooLong(prefix, 155) && !isUtf8TooLong(name, 100)) return {
        prefix,
        name
      };
    }
    return null;
  }
  function createTarHeader(header) {
    const view = /* @__PURE__ */ new Uint8Array(512);
    const size = isBodyless(header) ? 0 : header.size ?? 0;
    let name = header.name;
    let prefix = "";
    if (!header.pax?.path) {
      const split = findUstarSplit(name);
      if (split) {
        name = split.name;
        prefix = split.prefix;
      }
    }
    writeString(view, 0, 100, name);
    writeOctal(view, 100, 8, header.mode ?? (header.type === "directory" ? 493 : 420));
    writeOctal(view, 108, 8, header.uid ?? 0);
    writeOctal(view, 116, 8, header.gid ?? 0);
    writeOctal(view, 124, 12, size);
    writeOctal(view, 136, 12, Math.floor((header.mtime?.getTime() ?? Date.now()) / 1e3));
    writeString(view, 156, 1, TYPEFLAG[header.type ?? "file"]);
    writeString(view, 157, 100, header.linkname);
    writeString(view, 257, 6, "ustar\0");
    writeString(view, 263, 2, "00");
    writeString(view, 265, 32, header.uname);
    writeString(view, 297, 32, header.gname);
    writeString(view, 345, 155, prefix);
    writeChecksum(view);
    return view;
  }
  function getHeaderBlocks(header) {
    const base = createTarHeader(header);
    const pax = generatePax(header);
    if (!pax) return [base];
    const paxPadding = -pax.paxBody.length & 511;
    const paddingBlocks = paxPadding > 0 ? [ZERO_BLOCK.subarray(0, paxPadding)] : [];
    return [
      pax.paxHeader,
      pax.paxBody,
      ...paddingBlocks,
      base
    ];
  }
  var EOF_BUFFER = /* @__PURE__ */ new Uint8Array(1024);
  function createTarPacker(onData) {
    let currentHeader = null;
    let bytesWritten = 0;
    let finalized = false;
    const fail = (message) => {
      throw new Error(message);
    };
    return {
      add(header) {
        if (finalized) fail("No new tar entries after finalize.");
        if (currentHeader !== null) fail("Previous entry must be completed before adding a new one");
        const size = isBodyless(header) ? 0 : header.size;
        if (!Number.isSafeInteger(size) || size < 0) fail("Invalid tar entry size.");
        const headerBlocks = getHeaderBlocks({
          ...header,
          size
        });
        for (const block of headerBlocks) onData(block);
        currentHeader = {
          ...header,
          size
        };
        bytesWritten = 0;
      },
      write(chunk) {
        if (!currentHeader) fail("No active tar entry.");
        if (finalized) fail("Cannot write data after finalize.");
        const newTotal = bytesWritten + chunk.length;
        if (newTotal > currentHeader.size) fail(`"${currentHeader.name}" exceeds given size of ${currentHeader.size} bytes.`);
        bytesWritten = newTotal;
        onData(chunk);
      },
      endEntry() {
        if (!currentHeader) fail("No active entry to end.");
        if (finalized) fail("Cannot end entry after finalize.");
        if (bytesWritten !== currentHeader.size) fail(`Size mismatch for "${currentHeader.name}".`);
        const paddingSize = -currentHeader.size & 511;
        if (paddingSize > 0) onData(new Uint8Array(paddingSize));
        currentHeader = null;
        bytesWritten = 0;
      },
      finalize() {
        if (finalized) fail("Archive has already been finalized");
        if (currentHeader !== null) fail("Cannot finalize while an entry is still active");
        onData(EOF_BUFFER);
        finalized = true;
      }
    };
  }

  // node_modules/modern-tar/dist/web/index.js
  function createTarPacker2() {
    let streamController;
    let packer;
    let bodyController = null;
    let resume = null;
    let drain = null;
    let stopped = false;
    let stopReason;
    const unblock = () => {
      resume?.();
      resume = null;
      drain = null;
    };
    const stop = (reason) => {
      if (stopped) return;
      stopped = true;
      stopReason = reason;
      bodyController?.error(reason);
      bodyController = null;
      streamController.error(reason);
      unblock();
    };
    const abortBody = (reason = AbortSignal.abort().reason) => {
      bodyController = null;
      stop(reason);
    };
    const checkStopped = () => {
      if (stopped) throw stopReason;
    };
    const emit = (operation) => {
      checkStopped();
      try {
        operation();
      } catch (error) {
        stop(error);
        throw error;
      }
      const pending = drain;
      if (!pending) return;
      const signal = bodyController?.signal;
      if (!signal) return;
      if (signal.aborted) abortBody(signal.reason);
      else signal.onabort = () => abortBody(signal.reason);
      return pending.then(checkStopped);
    };
    return {
      readable: new ReadableStream({
        start(controller) {
          streamController = controller;
          packer = createTarPacker((chunk) => {
            const buffer = chunk.buffer;
            controller.enqueue(buffer instanceof ArrayBuffer && !Reflect.get(buffer, "resizable") ? chunk : new Uint8Array(chunk));
            if ((controller.desiredSize ?? 1) <= 0) drain ||= new Promise((resolve) => {
              resume = resolve;
            });
          });
        },
        pull: unblock,
        cancel(reason = AbortSignal.abort().reason) {
          stop(reason);
        }
      }, new ByteLengthQueuingStrategy({ highWaterMark: 8388608 })),
      controller: {
        add(header) {
          try {
            checkStopped();
            if (bodyController) throw new Error("Previous entry must be completed before adding a new one");
            packer.add(header);
          } catch (error) {
            stop(error);
            throw error;
          }
          return new WritableStream({
            start(controller) {
              bodyController = controller;
            },
            write(chunk) {
              return emit(() => {
                if (!ArrayBuffer.isView(chunk) || chunk[Symbol.toStringTag] !== "Uint8Array") throw new TypeError("Expected a Uint8Array body chunk");
                packer.write(chunk);
              });
            },
            close() {
              const result = emit(() => packer.endEntry());
              if (!result) {
                bodyController = null;
                return;
              }
              return result.then(() => {
                bodyController = null;
              });
            },
            abort: abortBody
          });
        },
        finalize() {
          try {
            checkStopped();
            if (bodyController) throw new Error("Cannot finalize while an entry is still active");
            packer.finalize();
            streamController.close();
          } catch (error) {
            stop(error);
            throw error;
          }
        },
        error(err) {
          stop(err);
        }
      }
    };
  }
  async function streamToBuffer(stream) {
    const chunks = [];
    const reader = stream.getReader();
    let totalLength = 0;
    try {
      while (true) {
        const { done, value } = await reader.read();
        if (done) break;
        chunks.push(value);
        totalLength += value.length;
      }
      const result = new Uint8Array(totalLength);
      let offset = 0;
      for (const chunk of chunks) {
        result.set(chunk, offset);
        offset += chunk.length;
      }
      return result;
    } finally {
      reader.releaseLock();
    }
  }
  var BUFFER_LIMIT = 1048576;
  var RESUME_LIMIT = BUFFER_LIMIT / 2;
  async function packTar(entries) {
    const { readable, controller } = createTarPacker2();
    const archive = streamToBuffer(readable);
    try {
      for (const entry of entries) {
        const entryStream = controller.add(entry.header);
        const body = "body" in entry ? entry.body : entry.data;
        if (!body) {
          await entryStream.close();
          continue;
        }
        if (body instanceof ReadableStream) await body.pipeTo(entryStream);
        else if (body instanceof Blob) await body.stream().pipeTo(entryStream);
        else try {
          const chunk = await normalizeBody(body);
          if (chunk.length > 0) {
            const writer = entryStream.getWriter();
            await writer.write(chunk);
            await writer.close();
          } else await entryStream.close();
        } catch {
          throw new TypeError(`Unsupported content type for entry "${entry.header.name}".`);
        }
      }
      controller.finalize();
    } catch (error) {
      controller.error(error);
    }
    return archive;
  }

  // sandbox/plugins/export-center.bundle/plugin.ts
  var defineTask = (task) => task;
  var utf8 = new TextEncoder();
  async function sha256(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  var byPath = (a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
  function checkedPath(path) {
    const parts = path.split("/");
    const unsafe = path.startsWith("/") || path.includes("\\") || parts.some((part) => part === "" || part === "." || part === "..");
    if (unsafe) throw new Error(`not a relative path: ${path}`);
    return path;
  }
  function stableText(value) {
    return JSON.stringify(value, (_key, member) => {
      if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
      return Object.fromEntries(Object.entries(member).sort(([a], [b]) => a < b ? -1 : 1));
    });
  }
  var plugin_default = defineTask({
    async run(input, ctx) {
      const files = [];
      for (const entry of input.entries) {
        const bytes = entry.content === void 0 ? utf8.encode(`${stableText(entry.value ?? null)}
`) : await ctx.artifacts.read(entry.content);
        files.push({ path: checkedPath(entry.path), bytes, sha256: await sha256(bytes) });
      }
      files.sort(byPath);
      const manifest = {
        name: input.name,
        createdUtc: ctx.now,
        files: files.map((file) => ({ path: file.path, sha256: file.sha256, bytes: file.bytes.length }))
      };
      const manifestBytes = utf8.encode(`${stableText(manifest)}
`);
      const packed = await packTar(
        [{ path: "manifest.json", bytes: manifestBytes }, ...files].map(({ path, bytes }) => ({
          header: {
            name: path,
            size: bytes.length,
            mode: 420,
            uid: 0,
            gid: 0,
            mtime: /* @__PURE__ */ new Date(0),
            type: "file"
          },
          body: bytes
        }))
      );
      const bundle = await ctx.artifacts.write(packed, "application/x-tar");
      const manifestReference = await ctx.artifacts.write(manifestBytes, "application/json");
      ctx.log("info", "export written", { files: files.length, bytes: packed.length });
      return { bundle, manifest: manifestReference, files: manifest.files };
    }
  });
  return __toCommonJS(plugin_exports);
})();

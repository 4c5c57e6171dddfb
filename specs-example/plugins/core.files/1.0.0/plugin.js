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

  // sandbox/plugins/core.files/plugin.ts
  var plugin_exports = {};
  __export(plugin_exports, {
    default: () => plugin_default
  });
  var defineTask = (task) => task;
  var mediaTypes = [
    [".cdx.json", "application/vnd.cyclonedx+json"],
    [".vex.json", "application/vnd.openvex+json"],
    [".openvex.json", "application/vnd.openvex+json"],
    [".json", "application/json"],
    [".ndjson", "application/x-ndjson"],
    [".yaml", "application/yaml"],
    [".txt", "text/plain"]
  ];
  function mediaTypeOf(path) {
    return mediaTypes.find(([suffix]) => path.endsWith(suffix))?.[1] ?? "application/octet-stream";
  }
  var plugin_default = defineTask({
    async run(_input, ctx) {
      const documents = [];
      for (const file of ctx.files.list()) {
        const content = await ctx.artifacts.write(ctx.files.stream(file.path), mediaTypeOf(file.path));
        documents.push({ path: file.path, content });
      }
      ctx.log("info", "files read", { count: documents.length });
      return { documents };
    }
  });
  return __toCommonJS(plugin_exports);
})();

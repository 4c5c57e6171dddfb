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

  // sandbox/plugins/notify.post/plugin.ts
  var plugin_exports = {};
  __export(plugin_exports, {
    default: () => plugin_default
  });
  var defineTask = (task) => task;
  var hidden = (error) => error instanceof Error ? error.message : "the connection failed";
  var plugin_default = defineTask({
    async run(input, ctx) {
      const body = JSON.stringify({
        tenant: ctx.tenant,
        dag: ctx.dagId,
        run: ctx.runId,
        at: ctx.now,
        summary: input.summary,
        fields: input.fields ?? {}
      });
      const { token } = ctx.secrets;
      const headers = {
        "content-type": "application/json",
        "idempotency-key": ctx.idempotencyKey,
        ...token === void 0 ? {} : { authorization: `Bearer ${token}` }
      };
      let response;
      try {
        response = await fetch(input.url, { method: "POST", headers, body, signal: ctx.signal });
      } catch (error) {
        throw Object.assign(new Error(`notice not delivered: ${hidden(error)}`), codeOf(error));
      }
      if (response.status >= 500 || response.status === 429)
        throw Object.assign(new Error(`the endpoint answered ${response.status}`), { transient: true });
      if (!response.ok) throw new Error(`the endpoint answered ${response.status}`);
      ctx.log("info", "notice delivered", { status: response.status });
      return { delivered: true, httpStatus: response.status };
    }
  });
  function codeOf(error) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : void 0;
    return code === "EGRESS_DENIED" ? { code } : { transient: true };
  }
  return __toCommonJS(plugin_exports);
})();

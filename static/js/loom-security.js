// Runs right after htmx: gives it a Trusted Types policy and takes away its two ways to evaluate strings.
(() => {
  const refuse = function () { throw new Error('Evaluating text is disabled: use an event listener.'); };
  const plain = { createHTML: (markup) => markup };
  const policy = window.trustedTypes ? window.trustedTypes.createPolicy('htmx', plain) : { ...plain, createScript: (text) => text };
  window.htmx.registerExtension('loom-security', { init: (api) => api.initSecurity(policy, refuse, refuse) });
})();

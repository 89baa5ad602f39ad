// Runs right after htmx: gives it a Trusted Types policy and takes away its two ways to evaluate strings.
// Fragments may carry data (<script type="application/json">), which htmx inserts anew; nothing else passes as a script.
(() => {
  const refuse = function () { throw new Error('Evaluating text is disabled: use an event listener.'); };
  const rules = { createHTML: (markup) => markup, createScript: (text) => { JSON.parse(text); return text; } };
  const policy = window.trustedTypes ? window.trustedTypes.createPolicy('htmx', rules) : rules;
  window.htmx.registerExtension('loom-security', { init: (api) => api.initSecurity(policy, refuse, refuse) });
})();

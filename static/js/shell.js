// Behaviour of every page: one import per behaviour.
import './theme-toggle.js';
import './toast.js';
import './palette.js';
import './confirm.js';
import './dialog.js';
import './forms.js';
import './guard.js';
import './copy.js';
import './shortcuts.js';
import './log-viewer.js';
import './run-timeline.js';

"""Settings: the environment only, read once, typed. A wrong value stops the start with the option's name and what to do.

Every secret `NAME` can also be given as `NAME_FILE`, a path whose content is the value. docs/settings.md lists the options.
"""

from __future__ import annotations

from datetime import timedelta

from csp.constants import NONE, SELF

from mindloom.environment import BASE_DIR, data_secret, env
from mindloom.openapi import SPECTACULAR_SETTINGS  # noqa: F401 -- a setting too
from mindloom.pod_settings import *  # noqa: F403 -- settings too
from mindloom.pod_settings import HANDED_SECRETS

# --- What this installation is ---------------------------------------------------------------------------------------------

DEBUG = env.flag("MINDLOOM_DEBUG", False)
DATA_DIR = env.data_dir("MINDLOOM_DATA", BASE_DIR / "data")
BASE_URL = env.url_text("MINDLOOM_URL", "http://127.0.0.1:8000")
SECRET_KEY = env.secret("SECRET_KEY") or data_secret(DATA_DIR, "secret_key")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", [])
ADMIN_PATH = env.path_part("ADMIN_PATH", "admin")
HTTPS = BASE_URL.startswith("https://")

# --- Applications ----------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "template_partials.apps.SimpleAppConfig",
    "django_cotton.apps.SimpleAppConfig",
    "csp",
    "axes",
    "channels",
    "django_filters",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "mindloom.apps.MindloomConfig",
    "audit",
    "features",
    "accounts",
    "integrations",
    "buckets",
    "agents",
    "teams",
    "runs",
    "webhooks",
    "schedules",
    "notifications",
    "administration",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "mindloom.web.storage.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "accounts.middleware.scope_middleware",
    "mindloom.web.errors.error_pages",
]

ROOT_URLCONF = "mindloom.urls"
ASGI_APPLICATION = "mindloom.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

_LOADERS = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            # cotton and template-partials both wrap the loaders, so the order is spelled out.
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
                "mindloom.web.templatetags.ui",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mindloom.shell.shell",
            ],
        },
    }
]

# --- Database, Redis, worker -----------------------------------------------------------------------------------------------

DATABASE_POOL_SIZE = env.whole("DATABASE_POOL_SIZE", 16, low=2, high=500)
DATABASE_POOL_TIMEOUT_SECONDS = env.number("DATABASE_POOL_TIMEOUT_SECONDS", 10.0, low=0.1, high=120)
_database = env.database("DATABASE_URL", DATA_DIR)
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "mindloom.wall",
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            **_database.get("OPTIONS", {}),
            "pool": {
                "min_size": 1,
                "max_size": DATABASE_POOL_SIZE,
                "timeout": DATABASE_POOL_TIMEOUT_SECONDS,
                "max_idle": 300,
            },
        },
    }
}
REDIS_URL = env.redis("REDIS_URL", DATA_DIR)
REDIS_PREFIX = env.text("REDIS_PREFIX", "mindloom")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_PREFIX,
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}:bell"},
    }
}

CELERY_BROKER_URL = f"redis+socket://{REDIS_URL[len('unix://') :]}" if REDIS_URL.startswith("unix://") else REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "runs"
# Files of buckets have a queue of their own; `-Q runs` and `-Q documents` make workers that serve one of both.
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"runs": {}, "documents": {}}
CELERY_TASK_ROUTES = {"buckets.tasks.*": {"queue": "documents"}}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long Redis is away
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the longest run: a message under way is not given to a second worker. Correctness rests on the claim, not on this.
    "visibility_timeout": 6 * 3600,
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
}
WORKER_CONCURRENCY = env.whole("WORKER_CONCURRENCY", 16, low=1, high=1000)
CELERY_WORKER_CONCURRENCY = WORKER_CONCURRENCY
CELERY_WORKER_POOL = "threads"
# Slots of each worker that runs of schedules leave free, so that people never wait behind them.
WORKER_RESERVED_FOR_PEOPLE = min(
    env.whole("WORKER_RESERVED_FOR_PEOPLE", max(1, WORKER_CONCURRENCY // 4), low=0, high=999), WORKER_CONCURRENCY - 1
)
# How long a worker that is told to stop lets its runs go on before it ends them.
WORKER_DRAIN_SECONDS = env.whole("WORKER_DRAIN_SECONDS", 10, low=0, high=6 * 3600)

# --- Runs ------------------------------------------------------------------------------------------------------------------

RUN_HEARTBEAT_STALE_SECONDS = env.whole("RUN_HEARTBEAT_STALE_SECONDS", 30, low=5, high=3600)
CURRENCY = env.text("CURRENCY", "USD")
RUN_RESTARTS = env.whole("RUN_RESTARTS", 2, low=0, high=20)
RUN_MAX_SECONDS = env.whole("RUN_MAX_SECONDS", 3600, low=10, high=5 * 3600)
# How many may be under way at once, on all workers together; an administrator can give a department a number of its own.
RUNS_PER_DEPARTMENT = env.whole("RUNS_PER_DEPARTMENT", 64, low=1, high=10_000)
RUNS_PER_AGENT = env.whole("RUNS_PER_AGENT", 32, low=1, high=10_000)
RUNS_PER_PERSON = env.whole("RUNS_PER_PERSON", 32, low=1, high=10_000)
RUN_INPUT_MAX_CHARS = env.whole("RUN_INPUT_MAX_CHARS", 200_000, low=1000, high=5_000_000)
SHORT_TERM_MEMORY_HOURS = env.whole("SHORT_TERM_MEMORY_HOURS", 24, low=1, high=24 * 365)
ARTIFACT_MAX_BYTES = env.whole("ARTIFACT_MAX_BYTES", 20 * 1024 * 1024, low=1024, high=1024**3)
ARTIFACTS_PER_RUN = env.whole("ARTIFACTS_PER_RUN", 50, low=1, high=10_000)
ARTIFACTS_MAX_BYTES_PER_RUN = env.whole("ARTIFACTS_MAX_BYTES_PER_RUN", 200 * 1024 * 1024, low=1024, high=100 * 1024**3)
# How long departments that say nothing themselves keep things; 0 is for ever. The nightly clearing begins at that hour, in UTC.
KEEP_RUNS_DAYS = env.whole("KEEP_RUNS_DAYS", 0, low=0, high=36_500)
KEEP_EVENTS_DAYS = env.whole("KEEP_EVENTS_DAYS", 0, low=0, high=36_500)
KEEP_FILES_DAYS = env.whole("KEEP_FILES_DAYS", 0, low=0, high=36_500)
RETENTION_HOUR = env.whole("RETENTION_HOUR", 3, low=0, high=23)
TEAM_MAX_MEMBERS = env.whole("TEAM_MAX_MEMBERS", 5, low=2, high=20)
# Private and link-local addresses that tools may reach all the same, as networks ("10.1.0.0/16").
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS", [])
# The same for the addresses of model providers, which administrators enter; a local Ollama or vLLM is common.
PROVIDER_ALLOWED_NETWORKS = env.networks(
    "PROVIDER_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
)

# The same for the addresses of webhooks, which managers of departments enter.
WEBHOOK_ALLOWED_NETWORKS = env.networks("WEBHOOK_ALLOWED_NETWORKS", [])
WEBHOOK_TIMEOUT_SECONDS = env.whole("WEBHOOK_TIMEOUT_SECONDS", 15, low=1, high=120)
WEBHOOK_FAILING_DAYS = env.whole("WEBHOOK_FAILING_DAYS", 5, low=1, high=365)
WEBHOOK_KEEP_DAYS = env.whole("WEBHOOK_KEEP_DAYS", 30, low=1, high=3650)

# --- Content buckets -------------------------------------------------------------------------------------------------------

DOCUMENT_MAX_BYTES = env.whole("DOCUMENT_MAX_BYTES", 100 * 1024 * 1024, low=1024, high=2 * 1024**3)
# What reading one file may take: a process of its own is ended beyond it.
DOCUMENT_SECONDS = env.whole("DOCUMENT_SECONDS", 300, low=5, high=3600)
DOCUMENT_MEMORY_MB = env.whole("DOCUMENT_MEMORY_MB", 1024, low=256, high=64 * 1024)
DOCUMENT_MAX_CHARS = env.whole("DOCUMENT_MAX_CHARS", 20_000_000, low=10_000, high=500_000_000)
# A virus scanner that looks at files first: "host:port" of a clamd, or the path of its socket.
CLAMD_ADDRESS = env.server("CLAMD_ADDRESS")

# --- People ----------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.backends.EmailBackend",
    "accounts.backends.SecondFactorBackend",
]
# Of whom a second factor is asked everywhere; departments can ask it of their own members.
SECOND_FACTOR_REQUIRED = env.choice("SECOND_FACTOR_REQUIRED", "nobody", ["nobody", "administrators", "everyone"])
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
# The organisation's own sign-in, by OpenID Connect.
OIDC_ISSUER = env.url_text("OIDC_ISSUER", "")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.secret("OIDC_CLIENT_SECRET")
OIDC_NAME = env.text("OIDC_NAME", "your organisation's account")
OIDC_SIGN_UP = env.flag("OIDC_SIGN_UP", True)
OIDC_TRUST_SECOND_FACTOR = env.flag("OIDC_TRUST_SECOND_FACTOR", False)

SESSION_ENGINE = "accounts.backends.sessions"
SESSION_COOKIE_AGE = env.whole("SESSION_DAYS", 14, low=1, high=365) * 86_400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "mindloom_session", "mindloom_csrf"
PASSWORD_RESET_TIMEOUT = 3600

AXES_FAILURE_LIMIT = env.whole("SIGN_IN_ATTEMPTS", 8, low=3, high=100)
AXES_COOLOFF_TIME = timedelta(minutes=env.whole("SIGN_IN_PAUSE_MINUTES", 15, low=1, high=1440))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "email"
AXES_USERNAME_CALLABLE = "accounts.backends.attempted_address"
AXES_CLIENT_IP_CALLABLE = "accounts.backends.attempted_from"
AXES_LOCKOUT_CALLABLE = "accounts.views.locked_out"
# A try during the pause does not make it longer, so the minutes we name stay true.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_VERBOSE = False
# The audit trail has who signed in, and who failed to.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ACCESS_FAILURE_LOG = False

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if env.text('SMTP_HOST', '') else 'console'}.EmailBackend"
EMAIL_HOST = env.text("SMTP_HOST", "")
EMAIL_PORT = env.whole("SMTP_PORT", 587, low=1, high=65_535)
EMAIL_HOST_USER = env.text("SMTP_USER", "")
EMAIL_HOST_PASSWORD = env.secret("SMTP_PASSWORD")
EMAIL_USE_TLS = env.flag("SMTP_TLS", True)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "Mindloom <mindloom@localhost>")

# The key ring that secrets are kept with: "id:base64key" entries, newest first; old ones still open what they closed.
KEY_RING = env.key_ring("KEY_RING", DATA_DIR) if HANDED_SECRETS is None else {}

# --- API -------------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mindloom.web.parsers.JSONBody"],
    "DEFAULT_SCHEMA_CLASS": "mindloom.web.schema.Schema",
    "DEFAULT_PAGINATION_CLASS": "mindloom.web.api.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "EXCEPTION_HANDLER": "mindloom.web.api.problem",
    "PAGE_SIZE": 50,
    "DEFAULT_THROTTLE_RATES": {"auth": env.text("API_AUTH_RATE", "20/min")},
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.whole("ACCESS_TOKEN_MINUTES", 15, low=1, high=1440)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.whole("REFRESH_TOKEN_DAYS", 14, low=1, high=365)),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "USER_ID_FIELD": "uuid",
    "USER_ID_CLAIM": "sub",
}

# --- Pages -----------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = env.data_dir("STATIC_ROOT", BASE_DIR / "staticroot")
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
# Files of runs are in a folder, or in a bucket of something that speaks S3.
S3_BUCKET = env.bucket("S3_BUCKET")
S3_ENDPOINT = env.url_text("S3_ENDPOINT", "")
S3_REGION = env.text("S3_REGION", "")
S3_PREFIX = env.text("S3_PREFIX", "")
S3_ACCESS_KEY = env.secret("S3_ACCESS_KEY")
S3_SECRET_KEY = env.secret("S3_SECRET_KEY")
STORAGES = {
    "default": env.in_s3(S3_BUCKET, S3_ENDPOINT, S3_REGION, S3_PREFIX, S3_ACCESS_KEY, S3_SECRET_KEY)
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "mindloom.web.storage.StaticStorage"
    },
}
MEDIA_ROOT = DATA_DIR / "files"
# Files are handed out by views that ask who may read them, never by URL.
MEDIA_URL = "/media-is-not-served/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["htmx"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS and env.flag("HTTPS_REDIRECT", True)
SECURE_HSTS_SECONDS = env.whole("HSTS_SECONDS", 0, low=0, high=63_072_000)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", False) else None
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "mindloom.web.errors.csrf_failure"
# W004: addresses are unique without case, by a constraint.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

# --- Logging ---------------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
LOG_FORMAT = env.choice("LOG_FORMAT", "console", ["console", "json"])
ALIVE_FILE = env.text("ALIVE_FILE", "")
# What a monitoring system has to send to read /metrics; without one there is no such address.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
LOGGING_CONFIG = "mindloom.logs.configure"
# Django calls it only when there is something to pass.
LOGGING = {"version": 1}

env.refuse_if_wrong()

"""Settings that hold everywhere. Addresses and secrets come from the environment."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from consortium.settings import env

BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = env.secret("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.idp.oidc",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "consortium.common",
    "consortium.membership",
    "consortium.governance",
    "contracts",
    "audit",
    "consent",
    "training",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "consortium.common.static_files.StaticFilesMiddleware",
    "consortium.common.correlation.CorrelationMiddleware",
    "consortium.common.transactions.RequestTransactionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "consortium.membership.middleware.OrganizationMiddleware",
    "audit.refusals.RefusalMiddleware",
]

ROOT_URLCONF = "consortium.urls"
ASGI_APPLICATION = "consortium.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "consortium.membership.context.organization",
                "consortium.membership.context.shell",
                "consortium.portal.context.work",
            ],
        },
    }
]

# The role in this address decides what the process may see: consilium_app for web and
# tenant tasks, consilium_system for dispatcher, projector and coordinator, consilium_owner to migrate.
DATABASES = {"default": environ.Env.db_url_config(env.secret("DATABASE_URL"))}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5
# For the web process: a new connection costs more than most requests. What a connection is told of a tenant ends
# with its transaction, so the next request finds nothing of it.
if (_pool_size := env.integer("DATABASE_POOL_SIZE", 0)) > 0:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": _pool_size, "timeout": 10}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.secret("CACHE_URL"),
    }
}

AUTH_USER_MODEL = "membership.User"
AUTHENTICATION_BACKENDS = ["consortium.membership.backends.LookupBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# People are invited by their organization's administrator; nobody signs up.
ACCOUNT_ADAPTER = "consortium.membership.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False

# The address that people and agents reach this deployment by.
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8000")

# The embedded OpenID provider issues tokens for the API; Keycloak stands behind the same settings later.
IDP_OIDC_PRIVATE_KEY = env.secret("OIDC_PRIVATE_KEY")
IDP_OIDC_ACCESS_TOKEN_FORMAT = "jwt"  # noqa: S105  the name of a format
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 900
IDP_OIDC_ADAPTER = "consortium.membership.oidc.OIDCAdapter"
OIDC_ISSUER = env.text("OIDC_ISSUER", PUBLIC_URL)
OIDC_AUDIENCE = env.text("OIDC_AUDIENCE", "consilium-api")
# Empty: tokens are checked with the embedded provider's own key.
OIDC_JWKS_URL = env.text("OIDC_JWKS_URL", "")

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.text("STATIC_ROOT", str(BASE_DIR / ".local" / "static"))

# Nothing is loaded from another host, and no script or style stands in a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "consortium.membership.api.authentication.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["consortium.common.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "consortium.common.api.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "consortium.common.openapi.ApiSchema",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
    "DEFAULT_VERSION": "v1",
    "EXCEPTION_HANDLER": "consortium.common.api.problem_response",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DATETIME_FORMAT": "iso-8601",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Consilium",
    "DESCRIPTION": "Membership, consent, training, governance and evidence of a consortium.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # Fields called `state` of several things: each set of states has a name of its own.
    "ENUM_NAME_OVERRIDES": {
        "TransactionState": "consortium.common.models.TransactionState",
        "MembershipStatus": "consortium.membership.models.Membership.Status",
        "BatchState": "consent.models.ConsentBatch.State",
        "WithdrawalState": "consent.models.Withdrawal.State",
        "PlanState": "training.models.Plan.State",
        "RunState": "training.models.Run.State",
        "AttemptState": "training.models.Attempt.State",
        "ModelState": "training.models.Model.State",
        "ForeignModelState": "training.models.ForeignModel.State",
        "ProposalState": "consortium.governance.models.Proposal.State",
        "BundleState": "audit.models.Bundle.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "consortium.membership.api.description.describe_work",
    ],
}

CELERY_BROKER_URL = env.secret("CELERY_BROKER_URL")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "platform"
CELERY_TASK_ROUTES = {
    "training.tasks.coordinate_run": {"queue": "runs"},
    "training.tasks.*": {"queue": "system"},
    "consortium.governance.tasks.*": {"queue": "system"},
    # Bundles are made as their organization, by the tenants' worker; the logs' upkeep is the system's.
    "audit.tasks.keep_logs": {"queue": "system"},
    "audit.tasks.sweep_bundles": {"queue": "system"},
}
CELERY_BEAT_SCHEDULE = {
    "advance proposals": {
        "task": "consortium.governance.tasks.advance_proposals",
        "schedule": 1.0,  # seconds
        "options": {"expires": 5},
    },
    "keep logs": {
        "task": "audit.tasks.keep_logs",
        "schedule": 2.0,
        "options": {"expires": 4},
    },
    "sweep bundles": {
        "task": "audit.tasks.sweep_bundles",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "sweep runs": {
        "task": "training.tasks.sweep_runs",
        "schedule": 1.0,
        "options": {"expires": 5},
    },
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Seconds; longer than any task: a run's task acknowledges early and is found again by its lease.
    "visibility_timeout": 120,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 5,
}

# The chain that this deployment talks to.
CHAIN_RPC_URL = env.text("CHAIN_RPC_URL", "")
CHAIN_ID = env.integer("CHAIN_ID", 0)
# For nodes that ask for a token: a file that something else keeps fresh, or the RSA key with which we make our own.
# Paths, and no secrets read at the start: both are read again while we run.
CHAIN_RPC_TOKEN_FILE = env.text("CHAIN_RPC_TOKEN_FILE", "")
CHAIN_RPC_JWT_KEY_FILE = env.text("CHAIN_RPC_JWT_KEY_FILE", "")
# A node's web socket, by which new blocks are heard of at once; without it they are asked for.
CHAIN_WS_URL = env.text("CHAIN_WS_URL", "")
# The nodes' web sockets on their own machines, where ADMIN and PERM answer; without them peers cannot be seen.
CHAIN_OPERATIONS_URL = env.words("CHAIN_OPERATIONS_URL")
CHAIN_OPERATIONS_TOKEN_FILE = env.text("CHAIN_OPERATIONS_TOKEN_FILE", "")
# On this chain alone lost blocks are healed; anywhere else they are an alarm (consortium.embedded.anvil).
DEVELOPMENT_CHAIN_ID = 417_001
# Keystores of the relay's accounts, separated by commas: they submit what members signed and have no rights.
RELAY_KEY_FILE = env.text("RELAY_KEY_FILE", "")
# Or keys behind Web3Signer, named by their public keys and asked by mutual TLS (contracts.relay).
RELAY_SIGNER_URL = env.text("RELAY_SIGNER_URL", "")
RELAY_SIGNER_KEYS = env.words("RELAY_SIGNER_KEYS")
RELAY_SIGNER_CERTIFICATE_FILE = env.text("RELAY_SIGNER_CERTIFICATE_FILE", "")
RELAY_SIGNER_KEY_FILE = env.text("RELAY_SIGNER_KEY_FILE", "")
RELAY_SIGNER_AUTHORITY_FILE = env.text("RELAY_SIGNER_AUTHORITY_FILE", "")
RELAY_SIGNER_TIMEOUT_SECONDS = env.integer("RELAY_SIGNER_TIMEOUT_SECONDS", 5)

# The name under which this deployment's logs are known: it stands in every checkpoint and never changes.
LOG_ORIGIN = env.text("LOG_ORIGIN", "consilium.example")
# The Ed25519 key that signs the logs' checkpoints.
LOG_KEY_FILE = env.text("LOG_KEY_FILE", "")
# Seconds from one anchor of a log to its next; 0 anchors whatever its witnesses have signed.
AUDIT_ANCHOR_SECONDS = env.integer("AUDIT_ANCHOR_SECONDS", 0)

# Where bundles, uploads and run folders lie.
PLATFORM_FOLDER = Path(env.text("PLATFORM_FOLDER", str(BASE_DIR / ".local" / "platform")))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "consortium.common.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
    # It has a line for each request, and a remote signer gets one a transaction.
    "loggers": {"httpx": {"level": "WARNING"}},
}

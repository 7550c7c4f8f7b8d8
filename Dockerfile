# The images of the charts in helm/: `docker build --target platform|coordinator|site`.
# PYTHON is a tag of the official image; DIGEST pins what your registry scanned (--build-arg DIGEST=@sha256:...).
ARG PYTHON=3.11.14-slim-bookworm
ARG DIGEST=

FROM python:${PYTHON}${DIGEST} AS base
ENV PATH=/opt/consilium/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/srv/consilium \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1
RUN groupadd --gid 10001 consilium \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin consilium
WORKDIR /srv/consilium

# Packages: locked by hash, wheels only, so that nothing is run while they are installed.
FROM base AS platform-packages
COPY helm/images/platform.lock /tmp/packages.lock
RUN python -m venv --without-pip /opt/consilium \
    && pip --python /opt/consilium/bin/python install --no-cache-dir --no-deps --only-binary=:all: --require-hashes -r /tmp/packages.lock

FROM base AS coordinator-packages
COPY helm/images/coordinator.lock /tmp/packages.lock
RUN python -m venv --without-pip /opt/consilium \
    && pip --python /opt/consilium/bin/python install --no-cache-dir --no-deps --only-binary=:all: --require-hashes -r /tmp/packages.lock

FROM base AS site-packages
COPY helm/images/site.lock /tmp/packages.lock
RUN python -m venv --without-pip /opt/consilium \
    && pip --python /opt/consilium/bin/python install --no-cache-dir --no-deps --only-binary=:all: --require-hashes -r /tmp/packages.lock

# What both images of the platform hold: the code and its pages, no agent, no demonstration, no contract's source.
FROM base AS platform-code
COPY manage.py ./
COPY consortium ./consortium
COPY consent ./consent
COPY training ./training
COPY audit ./audit
COPY contracts ./contracts
COPY templates ./templates
COPY static ./static
COPY helm/images/healthy /usr/local/bin/healthy

FROM platform-code AS platform
COPY --from=platform-packages /opt/consilium /opt/consilium
# The settings ask for addresses and secrets; collecting files needs none of them, and none stays in the image.
RUN DJANGO_SETTINGS_MODULE=consortium.settings.production STATIC_ROOT=/srv/consilium/collected \
        SECRET_KEY=unused OIDC_PRIVATE_KEY= DATABASE_URL=postgres://unused@/unused \
        CACHE_URL=redis://unused CELERY_BROKER_URL=redis://unused \
        python manage.py collectstatic --noinput \
    && python -m compileall -q /srv/consilium /opt/consilium
ENV DJANGO_SETTINGS_MODULE=consortium.settings.production \
    STATIC_ROOT=/srv/consilium/collected \
    HEALTH_URL=http://127.0.0.1:8000/healthz
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["healthy"]
CMD ["python", "-m", "uvicorn", "consortium.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--lifespan", "off"]

FROM platform-code AS coordinator
COPY --from=coordinator-packages /opt/consilium /opt/consilium
RUN python -m compileall -q /srv/consilium /opt/consilium
ENV DJANGO_SETTINGS_MODULE=consortium.settings.production \
    STATIC_ROOT=/srv/consilium/static \
    HEARTBEAT_FILE=/tmp/heartbeat
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["healthy"]
CMD ["python", "-m", "celery", "-A", "consortium.celery", "worker", "-Q", "runs", "-c", "1", "--without-gossip", "--without-mingle"]

FROM base AS site
COPY --from=site-packages /opt/consilium /opt/consilium
COPY agent ./agent
COPY consortium/__init__.py ./consortium/__init__.py
COPY consortium/kernel ./consortium/kernel
COPY consent/__init__.py ./consent/__init__.py
COPY consent/domain ./consent/domain
COPY consent/fhir ./consent/fhir
COPY contracts ./contracts
COPY training/__init__.py ./training/__init__.py
COPY training/federated ./training/federated
COPY static ./static
COPY helm/images/healthy helm/images/prepare-site helm/images/consilium-site /usr/local/bin/
RUN python -m compileall -q /srv/consilium /opt/consilium
ENV CONSILIUM_SITE_FOLDER=/var/lib/consilium-site/site \
    HEALTH_URL=http://127.0.0.1:8471/healthz
USER 10001:10001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["healthy"]
CMD ["consilium-site", "run"]

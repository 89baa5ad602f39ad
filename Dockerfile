# One image for every part of Mindloom: web, worker, scheduler and the step that migrates. Any Debian with Python 3.11 or newer serves as
# its base. What builds stays in the first stage: the result has no compiler, and its user may write nothing of it.
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS build
ARG PYTHON=python3
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/mindloom
COPY requirements/server.txt requirements/image.txt requirements/
RUN ${PYTHON} -m venv .venv \
 && .venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements/server.txt \
 && .venv/bin/python -m pip uninstall --yes pip setuptools
# The list of what is in the image (CycloneDX), for those who look for known weaknesses.
RUN ${PYTHON} -m venv /tmp/describe \
 && /tmp/describe/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/image.txt \
 && /tmp/describe/bin/cyclonedx-py environment --output-reproducible --output-format JSON --output-file sbom.cdx.json .venv
COPY . .
# The data folder of the build holds throw-away keys and is left behind.
RUN MINDLOOM_DATA=/tmp/build STATIC_ROOT=/opt/mindloom/staticroot .venv/bin/python manage.py collectstatic --noinput --ignore rest_framework --ignore redoc \
 && .venv/bin/python -m compileall -q -j 0 . \
 && rm -r requirements

FROM ${BASE_IMAGE}
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Mindloom" \
      org.opencontainers.image.description="AI agents for the departments of an organisation" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.cyclonedx.bom="/opt/mindloom/sbom.cdx.json"
RUN groupadd --gid 10001 mindloom \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/mindloom --shell /usr/sbin/nologin mindloom \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/mindloom
COPY --from=build /opt/mindloom /opt/mindloom
ENV PATH=/opt/mindloom/.venv/bin:${PATH} \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1 \
    MINDLOOM_DATA=/var/lib/mindloom STATIC_ROOT=/opt/mindloom/staticroot LOG_FORMAT=json
WORKDIR /opt/mindloom
USER 10001:10001
VOLUME /var/lib/mindloom
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "mindloom/healthy.py"]
ENTRYPOINT ["python", "manage.py"]
CMD ["serve", "web"]

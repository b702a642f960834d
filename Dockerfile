# twinpost in a container: built in one stage, run in another as a numeric user that owns nothing but
# its state. BASE names the image that both stages stand on; it needs python3 (3.11 or newer) with venv.
# How to run it: docs/running.md.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
RUN ["python3", "-m", "venv", "/opt/twinpost"]
COPY requirements-extras.lock ./
RUN ["/opt/twinpost/bin/python", "-m", "pip", "install", "--no-cache-dir", "--require-hashes", \
     "-r", "requirements-extras.lock"]
COPY pyproject.toml README.md LICENSE ./
COPY bridge ./bridge
RUN ["/opt/twinpost/bin/python", "-m", "pip", "install", "--no-cache-dir", "--no-deps", \
     "--no-build-isolation", "."]
# What only installing needs stays behind.
RUN ["/opt/twinpost/bin/python", "-m", "pip", "uninstall", "--yes", "--quiet", \
     "flit_core", "setuptools", "pip"]
COPY deploy/healthy.py /opt/twinpost/healthy.py
# Whatever the umask was under which the source was fetched.
RUN ["chmod", "--recursive", "go-w", "/opt/twinpost"]

FROM ${BASE}
LABEL org.opencontainers.image.title="twinpost" \
      org.opencontainers.image.description="Cross-posting bridge between X and Mastodon" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/twinpost /opt/twinpost
RUN install -d -o 10001 -g 10001 -m 0700 /state
ENV PATH=/opt/twinpost/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/state \
    STATE_DIRECTORY=/state \
    TMPDIR=/state \
    TWINPOST_HEARTBEAT=/state/heartbeat \
    TWINPOST_CONFIG=/etc/twinpost/config.yaml \
    PYTHONUNBUFFERED=1 \
    PYTHONFAULTHANDLER=1
# Numeric, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /
VOLUME /state
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=2 \
    CMD ["/opt/twinpost/bin/python", "-IS", "/opt/twinpost/healthy.py"]
ENTRYPOINT ["/opt/twinpost/bin/twinpost"]
CMD ["run"]

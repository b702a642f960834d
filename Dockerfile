# twinpost in a container: built in one stage, run in another as a numeric user that owns nothing but
# its state. BASE names the image that both stages stand on.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/twinpost
COPY requirements.lock ./
RUN /opt/twinpost/bin/python -m pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bridge ./bridge
RUN /opt/twinpost/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
COPY --from=build /opt/twinpost /opt/twinpost
ENV PATH=/opt/twinpost/bin:$PATH PYTHONUNBUFFERED=1 STATE_DIRECTORY=/state
RUN install -d -o 10001 -g 10001 -m 0700 /state
USER 10001:10001
VOLUME /state
ENTRYPOINT ["twinpost"]
CMD ["run", "--config", "/etc/twinpost/config.yaml"]

# Worldloom in a container: docs/operating.md, "In a container".
#   docker build -t worldloom .                                  the server, without torch
#   docker build -t worldloom --build-arg EXTRA=server .         with the CPU build of torch
FROM python:3.11-slim AS build
ARG EXTRA=server-light
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/worldloom
WORKDIR /src
COPY pyproject.toml README.md LICENSE config.toml ./
COPY server server
COPY client_sdk client_sdk
COPY migrations migrations
RUN if [ "$EXTRA" = server ]; then \
        /opt/worldloom/bin/pip install --index-url https://download.pytorch.org/whl/cpu 'torch>=2.6,<2.14'; \
    fi && /opt/worldloom/bin/pip install ".[$EXTRA]"

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin worldloom \
    && install -d -o worldloom -g worldloom -m 0700 /data \
    && install -d /etc/worldloom
COPY --from=build /opt/worldloom /opt/worldloom
ENV PATH=/opt/worldloom/bin:$PATH PYTHONDONTWRITEBYTECODE=1 WORLDLOOM_SERVER__DATA=/data
# A config.toml mounted here is read; without one, the environment and the defaults hold.
WORKDIR /etc/worldloom
USER 10001
VOLUME /data
EXPOSE 8420
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8420/healthz', timeout=4)"]
CMD ["worldloom", "serve"]

# Two images: `ministack`, the local S3 and Glue, and `ingot`, the workers and the command.

FROM python:3.11-slim AS ministack
RUN pip install --no-cache-dir --disable-pip-version-check ministack==1.5.33 \
    && useradd --create-home ministack \
    && install --directory --owner=ministack --group=ministack /var/lib/ministack
USER ministack
# All addresses of the container; what reaches it is decided by what is published.
ENV BIND_HOST=0.0.0.0 \
    MINISTACK_HOST=ministack \
    GATEWAY_PORT=4566 \
    S3_PERSIST=1 \
    S3_DATA_DIR=/var/lib/ministack/s3 \
    PERSIST_STATE=1 \
    STATE_DIR=/var/lib/ministack/state \
    ATHENA_ENGINE=mock \
    IOT_MTLS_ENABLED=0 \
    SFTP_ENABLED=0 \
    LOG_LEVEL=WARNING
VOLUME /var/lib/ministack
EXPOSE 4566
# As a list, so that SIGTERM reaches it: then it writes the catalog.
CMD ["python", "-m", "ministack"]

# A system with glibc: the engine and the Temporal SDK bring binaries that need it.
FROM node:22-bookworm-slim AS ingot
ENV NODE_ENV=production \
    INGOT_CACHE_DIR=/var/cache/ingot \
    LOG_FORMAT=json
WORKDIR /opt/ingot
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
COPY tsconfig.json LICENSE* ./
COPY bin bin
COPY sql sql
COPY src src
# What is compiled at the first start lies beside the packages that it imports.
RUN install --directory --owner=node --group=node /var/cache/ingot node_modules/.cache/ingot
USER node
VOLUME /var/cache/ingot
ENTRYPOINT ["node", "bin/ingot.mjs"]
CMD ["--help"]

# The service alone: it is meant to be given POSTGRES_DSN. TypeScript runs as it is; only the web page is built.
FROM node:26-trixie-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
# With the optional packages: the bundler's program for this platform is one of them.
RUN npm ci --no-audit --no-fund
COPY pkg pkg
COPY cmd/web cmd/web
RUN npx vite build cmd/web

FROM node:26-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund
COPY deploy/image/prune-packages.sh ./
RUN ./prune-packages.sh node_modules
# 33 of its 150 MB are symbols for debuggers.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends binutils \
  && strip --strip-unneeded /usr/local/bin/node

# What node:26-trixie-slim is based on, without npm and without headers. node needs libatomic1.
FROM debian:trixie-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends libatomic1 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log \
  && groupadd --gid 1000 chat \
  && useradd --uid 1000 --gid chat --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin chat
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY migrations migrations
COPY pkg pkg
COPY internal internal
COPY cmd cmd
COPY --from=page /app/cmd/web/dist cmd/web/dist
# The user's number, so that `runAsNonRoot` of Kubernetes can check it. The service writes no file here: the root file system may be read-only.
USER 1000:1000
EXPOSE 50051 8080 9464
# Drains on SIGTERM, which Node gets as process 1.
STOPSIGNAL SIGTERM
# Asks the server for what its ROLES say. With another command, and GRPC_PORT not set: node cmd/health/main.ts gateway, auth-server or message-writer.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["node", "cmd/health/main.ts"]
CMD ["node", "cmd/server/main.ts"]

# The service alone: it is meant to be given POSTGRES_DSN. TypeScript runs as it is; only the web page is built.
FROM node:26-slim AS page
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=optional --no-audit --no-fund
COPY pkg pkg
COPY cmd/web cmd/web
RUN npx vite build cmd/web

FROM node:26-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json ./
COPY migrations migrations
COPY pkg pkg
COPY internal internal
COPY cmd cmd
COPY --from=page /app/cmd/web/dist cmd/web/dist
USER node
EXPOSE 50051 8080
# Drains on SIGTERM, which Node gets as process 1.
STOPSIGNAL SIGTERM
# Asks the server for what its ROLES say. With another command, and GRPC_PORT not set: node cmd/health/main.ts gateway, auth-server or message-writer.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s CMD ["node", "cmd/health/main.ts"]
CMD ["node", "cmd/server/main.ts"]

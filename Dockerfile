# The base can be any image with Node 24 and npm: docker build --build-arg NODE_IMAGE=node:24-alpine .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install script of a dependency is needed. What runs needs few packages; the others are for the build, and stay behind.
RUN npm ci --omit=dev --ignore-scripts --no-update-notifier \
  && mkdir runtime \
  && mv node_modules runtime/ \
  && npm ci --ignore-scripts --no-update-notifier \
  && mkdir state \
  && mkdir -m 1777 state/dockapi

FROM dependencies AS build
COPY tsconfig.json ./
COPY scripts ./scripts
COPY schemas ./schemas
COPY src ./src
COPY plugins ./plugins
COPY routes ./routes
RUN node scripts/build.ts

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production DOCKAPI_HOST=0.0.0.0 DOCKAPI_PORT=8000 DOCKAPI_GATEWAY_HOST=0.0.0.0 DOCKAPI_GATEWAY_PORT=8080 DOCKAPI_DATA_DIR=/var/lib/dockapi/state
COPY --from=dependencies /app/runtime/node_modules ./node_modules
# Whoever the container runs as makes a folder of its own here.
COPY --from=dependencies /app/state /var/lib/
COPY package.json LICENSE ./
COPY --from=build /app/dist ./dist
# The user "node" of the official image, by number, so that the base needs no such name. The engine's socket is opened
# through its group, which is the host's: docker run --group-add (see compose.yaml).
USER 1000:1000
VOLUME /var/lib/dockapi
EXPOSE 8000 8080
HEALTHCHECK --interval=10s --timeout=10s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://${process.env.DOCKAPI_HOST === '0.0.0.0' ? '127.0.0.1' : process.env.DOCKAPI_HOST}:${process.env.DOCKAPI_PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]

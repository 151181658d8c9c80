# The base can be any image with Node 24 and npm: docker build --build-arg NODE_IMAGE=node:24-alpine .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install script of a dependency is needed: the native parts of ssh2 are optional.
RUN npm ci --omit=dev --ignore-scripts --no-update-notifier
# ReDoc is one file of a package whose dependencies nothing needs at run time.
RUN mkdir assets \
  && mkdir state \
  && mkdir -m 1777 state/dockapi \
  && npm pack --silent "redoc@$(node -p 'require("./package-lock.json").packages["node_modules/redoc"].version')" \
  && tar -xzf redoc-*.tgz -C assets --strip-components=2 package/bundles/redoc.standalone.js package/bundles/redoc.standalone.js.LICENSE.txt

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production DOCKAPI_HOST=0.0.0.0 DOCKAPI_PORT=8000 DOCKAPI_GATEWAY_HOST=0.0.0.0 DOCKAPI_GATEWAY_PORT=8080 DOCKAPI_DATA_DIR=/var/lib/dockapi/state
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /app/assets ./assets
# Whoever the container runs as makes a folder of its own here.
COPY --from=dependencies /app/state /var/lib/
COPY package.json ./
COPY schemas ./schemas
COPY src ./src
COPY plugins ./plugins
COPY routes ./routes
# The user "node" of the official image, by number, so that the base needs no such name. The engine's socket is opened
# through its group, which is the host's: docker run --group-add (see compose.yaml).
USER 1000:1000
VOLUME /var/lib/dockapi
EXPOSE 8000 8080
HEALTHCHECK --interval=10s --timeout=10s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://${process.env.DOCKAPI_HOST === '0.0.0.0' ? '127.0.0.1' : process.env.DOCKAPI_HOST}:${process.env.DOCKAPI_PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "src/main.ts"]

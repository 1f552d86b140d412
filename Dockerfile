# syntax=docker/dockerfile:1
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json \
    && npm prune --omit=dev --ignore-scripts \
    && rm -rf node_modules/better-sqlite3/deps node_modules/better-sqlite3/src

FROM node:24-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    DATABASE_URL=file:/data/posthorn.db
WORKDIR /app
COPY --from=build --chown=root:root /app/package.json /app/schema.sql /app/schema.postgres.sql ./
COPY --from=build --chown=root:root /app/bin ./bin
COPY --from=build --chown=root:root /app/dist ./dist
COPY --from=build --chown=root:root /app/node_modules ./node_modules
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8787
# POSTHORN_ALLOWED_HOSTS must be given: nothing but loopback is bound without it.
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "bin/healthcheck.js"]
ENTRYPOINT ["node", "bin/posthorn.js"]
CMD ["serve"]

# The app: `docker build --tag stagewright .`. The two stages need no shell at the end and no emulation for other
# architectures: what they copy is the same on all of them (`--ignore-scripts`: no package here compiles anything).
#
# Node 24 by its moving tag: fixes of Node and Debian come with each build, which a digest would hold back until somebody
# moved it. What a release was built on stands in its SBOM and its attestation, by digest.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
RUN mkdir data

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATABASE_URL=sqlite:/data/stagewright.db
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=packages --chown=10001:10001 /app/data /data
COPY package.json LICENSE ./
COPY app ./app
COPY src ./src
COPY dist ./dist
# Nobody's account: it owns nothing but /data. The root may be mounted read-only.
USER 10001:10001
VOLUME /data
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "app/main.ts"]

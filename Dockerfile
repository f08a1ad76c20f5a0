# amiguard as an image for schedulers and pipelines: `docker build --tag amiguard .`, then docs/install.md.
# What is in it is pinned by constraints.txt; to pin the base as well, give its digest:
#   docker build --build-arg PYTHON=python:3.11-slim@sha256:... .
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
# What beside the program itself: notify sends messages, import reads the files of other tools, demo is large.
ARG EXTRAS=notify,import
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY constraints.txt ./
RUN python -m pip install --constraint constraints.txt build hatchling
COPY LICENSE README.md pyproject.toml ./
COPY src ./src
# Without pip in it: what runs installs nothing.
RUN python -m build --wheel --no-isolation \
    && python -m venv --without-pip /opt/amiguard \
    && python -m pip --python /opt/amiguard/bin/python install \
        --constraint constraints.txt "$(echo dist/amiguard-*.whl)[${EXTRAS}]"

FROM ${PYTHON}
LABEL org.opencontainers.image.title="amiguard" \
      org.opencontainers.image.description="Tells which of your Amazon Machine Images can be launched by AWS accounts that you do not trust." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/amiguard /opt/amiguard
# Nothing is written to the home folder; credentials may be mounted into it, for any user.
RUN install --directory /home/amiguard \
    && install --directory --owner=10001 --group=10001 --mode=0700 /state /work
# Journals and what notifications remember are in /state; /work is where amiguard.yaml is looked for and reports go.
ENV HOME=/home/amiguard \
    PATH=/opt/amiguard/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_STATE_HOME=/state
WORKDIR /work
USER 10001:10001
# It runs once and ends with a code that says how it went: there is nothing to ask in between.
HEALTHCHECK NONE
ENTRYPOINT ["amiguard"]
CMD ["--help"]

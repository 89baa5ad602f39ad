#!/bin/sh
# The application's role owns its database and is held back by row-level security, as Mindloom demands.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres --set "password=$(cat /run/secrets/database_password)" <<'SQL'
CREATE ROLE mindloom LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE mindloom OWNER mindloom;
\connect mindloom
CREATE EXTENSION vector;
ALTER FUNCTION ts_match_vq(tsvector, tsquery) LEAKPROOF;
SQL

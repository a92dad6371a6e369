-- +goose Up

-- SHA-256 of the key with which a client may make the exchange of a token again whose answer it has not got.
alter table auth.refresh_tokens add column retry_key_hash bytea;

-- +goose Down
alter table auth.refresh_tokens drop column retry_key_hash;

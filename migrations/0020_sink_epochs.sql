-- +goose Up

-- The epoch for which the events in the sink have been compared with the database; null: none. When the database goes back, a sink keeps events of the
-- history that is lost.
alter table export.sinks add column checked_epoch text;

-- +goose Down
alter table export.sinks drop column checked_epoch;

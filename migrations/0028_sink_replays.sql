-- +goose Up

-- How often the chat's cursor was put back to deliver its changes to the sink again. A relay that claimed the chat before that moves the cursor no more.
alter table export.cursors add column replay integer not null default 0;

-- +goose Down
alter table export.cursors drop column replay;

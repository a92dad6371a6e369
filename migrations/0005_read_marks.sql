-- +goose Up

-- How far the member has read. Nothing written before they joined counts as unread, whatever stands here.
alter table members add column read_seq bigint not null default 0;

-- +goose Down
alter table members drop column read_seq;

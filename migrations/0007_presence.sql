-- +goose Up

-- Who is online, by node, where several nodes have nothing faster to share it by. Not logged: after a crash the nodes tell it anew.
create unlogged table presence_nodes (
  id uuid primary key,
  seen_at timestamptz not null, -- by the database's clock
  -- The number of what the node told last: it can see whether all of it is here.
  version bigint not null
) with (fillfactor = 50);

create unlogged table presence (
  user_id text collate "C" not null,
  node_id uuid not null,
  name text not null,
  entered_at timestamptz not null,
  primary key (user_id, node_id)
);

create index presence_node on presence (node_id);

-- +goose Down
drop table presence, presence_nodes;

-- A run: one input, with its results.
CREATE TABLE run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    -- 0: its input is loading; 1: running; 2: paused; 3: cancelled
    state smallint NOT NULL DEFAULT 0,
    -- which process loads the input
    loader bigint NOT NULL,
    -- whether its lines are JSON; otherwise each line is a prompt
    is_json boolean NOT NULL DEFAULT true,
    -- the settings that all workers must have in common, as JSON; set by the first worker
    identity text,
    items bigint NOT NULL DEFAULT 0,
    -- the counts of the chunks that are finished
    done bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    -- limits of the whole run, shared by its workers; NULL: none
    requests_per_minute bigint,
    tokens_per_minute bigint,
    max_cost double precision,
    -- dollars for a million tokens
    input_price double precision NOT NULL DEFAULT 0,
    output_price double precision NOT NULL DEFAULT 0,
    created timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0.02);

-- The lines of the input, in blocks. Written once.
CREATE TABLE block (
    run bigint NOT NULL,
    number bigint NOT NULL,
    -- the numbers of the lines, and the lines
    places bigint[] NOT NULL,
    lines bytea[] NOT NULL,
    items integer NOT NULL,
    PRIMARY KEY (run, number)
);

-- The parts of the input that are leased. Its rows are narrow, because they are updated.
CREATE TABLE chunk (
    run bigint NOT NULL,
    number bigint NOT NULL,
    -- items `first + 1` to `first + items` of this block
    block bigint NOT NULL,
    first integer NOT NULL,
    items integer NOT NULL,
    -- 0: nobody had it; 1: it was leased; 2: every item has a result
    state smallint NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    leased_until timestamptz,
    worker text,
    done integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run, number)
) WITH (fillfactor = 30, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX chunk_waiting ON chunk (run, number) WHERE state = 0;
CREATE INDEX chunk_leased ON chunk (run, number) WHERE state = 1;

-- The results. Inserted once, never updated. Their order is that of the input.
CREATE TABLE result (
    run bigint NOT NULL,
    chunk bigint NOT NULL,
    place bigint NOT NULL,
    is_answer boolean NOT NULL,
    -- which call of `record` wrote the row
    token bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    -- the line of the output file
    line bytea NOT NULL,
    PRIMARY KEY (run, chunk, place)
);

-- The limits per minute of a run, as token buckets. Rows are updated often, so that most of each
-- page is left free for their versions.
CREATE TABLE bucket (
    run bigint NOT NULL,
    -- 0: requests; 1: tokens
    kind smallint NOT NULL,
    -- what a second refills, and the most that is held
    rate double precision NOT NULL,
    most double precision NOT NULL,
    level double precision NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, kind)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0.02);

-- What the results of a run have cost, in dollars: those of finished chunks, and of those that are
-- leased.
CREATE FUNCTION run_cost(run_id bigint) RETURNS double precision STABLE LANGUAGE sql AS $$
    SELECT ((r.input_tokens + COALESCE(sum(c.input_tokens), 0)) * r.input_price
        + (r.output_tokens + COALESCE(sum(c.output_tokens), 0)) * r.output_price) / 1e6
    FROM run r LEFT JOIN chunk c ON c.run = r.id AND c.state = 1
    WHERE r.id = run_id GROUP BY r.id
$$;

-- Whether items of a run may be sent: it is running, and has not reached its cap.
CREATE FUNCTION may_send(run_id bigint) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT COALESCE((SELECT state = 1 AND CASE WHEN max_cost IS NULL THEN true
        ELSE run_cost(run_id) < max_cost END FROM run WHERE id = run_id), false)
$$;

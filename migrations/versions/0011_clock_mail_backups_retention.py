"""what the clock did and could not do, which mails people want, backups, and the workers' queue"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = '0011'
down_revision = '0010'

DELIVERY_COLUMNS = {
    'offered_until': sa.DateTime,
    'returned_at': sa.DateTime,
    'returned_because': sa.Text,
}
DELIVERY_INDEXES = {
    'ix_delivery_created_at': ['created_at'],
    'ix_delivery_kind_subject_id': ['kind', 'subject_id'],
}

# Everything the queue made: nothing of ours begins like that.
DROP_QUEUE = """
DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('DROP TABLE %I CASCADE', found.tablename);
    END LOOP;
    FOR found IN SELECT p.oid::regprocedure AS signature FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND p.proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE 'DROP FUNCTION ' || found.signature || ' CASCADE';
    END LOOP;
    FOR found IN SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE n.nspname = 'public' AND t.typname LIKE 'procrastinate\\_%' AND t.typelem = 0 LOOP
        EXECUTE format('DROP TYPE IF EXISTS %I CASCADE', found.typname);
    END LOOP;
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        change_delivery_beside_writers()
    else:
        with op.batch_alter_table('delivery', schema=None) as batch_op:
            for name, kind in DELIVERY_COLUMNS.items():
                batch_op.add_column(sa.Column(name, kind(), nullable=True))
            for name, columns in DELIVERY_INDEXES.items():
                batch_op.create_index(name, columns, unique=False)

    op.create_table('backup_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('began_at', sa.DateTime(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('file', sa.String(length=300), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('deleted_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_backup_run'))
    )
    with op.batch_alter_table('backup_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_backup_run_began_at'), ['began_at'], unique=False)

    op.create_table('parked_work',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('what', sa.String(length=80), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=False),
    sa.Column('first_failed_at', sa.DateTime(), nullable=False),
    sa.Column('last_failed_at', sa.DateTime(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(), nullable=False),
    sa.Column('parked_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_parked_work')),
    sa.UniqueConstraint('what', 'item_id', name=op.f('uq_parked_work_what_item_id'))
    )
    with op.batch_alter_table('parked_work', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_parked_work_parked_at'), ['parked_at'], unique=False)

    op.create_table('retention_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('ran_at', sa.DateTime(), nullable=False),
    sa.Column('older_than', sa.DateTime(), nullable=False),
    sa.Column('deleted', sa.Integer(), nullable=False),
    sa.Column('left_over', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_retention_run'))
    )
    with op.batch_alter_table('retention_run', schema=None) as batch_op:
        batch_op.create_index('ix_retention_run_kind_ran_at', ['kind', 'ran_at'], unique=False)

    op.create_table('tick_run',
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('owner', sa.String(length=80), nullable=False),
    sa.Column('began_at', sa.DateTime(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('succeeded_at', sa.DateTime(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('milliseconds', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_tick_run'))
    )
    op.create_table('working_process',
    sa.Column('owner', sa.String(length=80), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('host', sa.String(length=80), nullable=False),
    sa.Column('release', sa.String(length=40), nullable=False),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('seen_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('owner', name=op.f('pk_working_process'))
    )
    with op.batch_alter_table('working_process', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_working_process_seen_at'), ['seen_at'], unique=False)

    on_postgresql(SchemaManager.get_schema())

    # Last what refers to people: nobody can be added to them from here to the end.
    op.create_table('digest_topic',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('topic_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_digest_topic_topic_id_topic')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_digest_topic_user_id_user')),
    sa.PrimaryKeyConstraint('user_id', 'topic_id', name=op.f('pk_digest_topic'))
    )
    op.create_table('mail_trouble',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('trouble', sa.Enum('returned', 'delayed', 'complained', name='addresstrouble', native_enum=False, length=32), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('returned', sa.Integer(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('since', sa.DateTime(), nullable=False),
    sa.Column('last_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_mail_trouble_user_id_user')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_mail_trouble'))
    )
    op.create_table('mail_wish',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('topic', sa.Enum('reminder_day', 'reminder_hour', 'recording', 'recording_closing', 'credit_reminder', 'digest', 'faculty_reminder', name='mailtopic', native_enum=False, length=32), nullable=False),
    sa.Column('is_wanted', sa.Boolean(), nullable=False),
    sa.Column('changed_at', sa.DateTime(), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_mail_wish_user_id_user')),
    sa.PrimaryKeyConstraint('user_id', 'topic', name=op.f('pk_mail_wish'))
    )


def downgrade() -> None:
    on_postgresql(DROP_QUEUE)
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_kind_subject_id')
        batch_op.drop_index('ix_delivery_created_at')
        batch_op.drop_column('returned_because')
        batch_op.drop_column('returned_at')
        batch_op.drop_column('offered_until')

    op.drop_table('mail_wish')
    op.drop_table('mail_trouble')
    op.drop_table('digest_topic')
    with op.batch_alter_table('working_process', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_working_process_seen_at'))

    op.drop_table('working_process')
    op.drop_table('tick_run')
    with op.batch_alter_table('retention_run', schema=None) as batch_op:
        batch_op.drop_index('ix_retention_run_kind_ran_at')

    op.drop_table('retention_run')
    with op.batch_alter_table('parked_work', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_parked_work_parked_at'))

    op.drop_table('parked_work')
    with op.batch_alter_table('backup_run', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_backup_run_began_at'))

    op.drop_table('backup_run')


def change_delivery_beside_writers() -> None:
    # Outside of the transaction in which all the rest happens: who held this table and then waited
    # for people, or the other way round, would be in a deadlock with the program's own mails.
    # It can be done again: an index whose building was broken off stands there and is of no use.
    bind = op.get_bind()
    added = ', '.join(
        f'ADD COLUMN IF NOT EXISTS {name} {kind().compile(bind.dialect)}'
        for name, kind in DELIVERY_COLUMNS.items()
    )
    with op.get_context().autocommit_block():
        op.execute(f'ALTER TABLE delivery {added}')
        patience = bind.exec_driver_sql('SHOW lock_timeout').scalar_one()
        op.execute('SET lock_timeout = 0')  # nobody waits behind it
        for name, columns in DELIVERY_INDEXES.items():
            is_there = f"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{name}')"
            if not bind.exec_driver_sql(is_there).scalar():
                op.drop_index(name, 'delivery', if_exists=True, postgresql_concurrently=True)
                op.create_index(name, 'delivery', columns, postgresql_concurrently=True)
        op.execute(f"SET lock_timeout = '{patience}'")


def on_postgresql(statements: str) -> None:
    # By the driver itself: SQLAlchemy would read percent signs as places for values.
    bind = op.get_bind()
    if bind.dialect.name == 'postgresql':
        bind.connection.driver_connection.execute(statements)

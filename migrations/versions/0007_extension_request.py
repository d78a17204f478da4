"""requests for more time with a recording"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table(
        'extension_request',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('recording_id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('asked_at', sa.DateTime(), nullable=False),
        sa.Column('answered_at', sa.DateTime(), nullable=True),
        sa.Column('answered_by_id', sa.Integer(), nullable=True),
        sa.Column('granted', sa.Boolean(), nullable=True),
        sa.Column('answer', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ['answered_by_id'], ['user.id'],
            name=op.f('fk_extension_request_answered_by_id_user'),
        ),
        sa.ForeignKeyConstraint(
            ['recording_id'], ['recording.id'],
            name=op.f('fk_extension_request_recording_id_recording'),
        ),
        sa.ForeignKeyConstraint(
            ['user_id'], ['user.id'], name=op.f('fk_extension_request_user_id_user')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_extension_request')),
    )
    with op.batch_alter_table('extension_request', schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f('ix_extension_request_recording_id'), ['recording_id'], unique=False
        )
        batch_op.create_index(batch_op.f('ix_extension_request_user_id'), ['user_id'], unique=False)


def downgrade() -> None:
    op.drop_table('extension_request')

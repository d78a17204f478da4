"""a topic that was merged into another keeps its address"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    with op.batch_alter_table('topic', schema=None) as batch_op:
        batch_op.add_column(sa.Column('merged_into_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f('fk_topic_merged_into_id_topic'), 'topic', ['merged_into_id'], ['id']
        )


def downgrade() -> None:
    with op.batch_alter_table('topic', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_topic_merged_into_id_topic'), type_='foreignkey')
        batch_op.drop_column('merged_into_id')

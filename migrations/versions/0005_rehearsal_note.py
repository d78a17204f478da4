"""what the organiser tells the faculty about their rehearsal"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.add_column(
        'session', sa.Column('rehearsal_note', sa.Text(), nullable=False, server_default='')
    )


def downgrade() -> None:
    op.drop_column('session', 'rehearsal_note')

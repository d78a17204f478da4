"""renditions, other sources, rehearsals, uploads, the recording desk, endings, rooms of others"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('external_room',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=24), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('provider', sa.Enum('address', 'bigbluebutton', 'zoom', name='roomprovider', native_enum=False, length=32), nullable=False),
    sa.Column('state', sa.Enum('planned', 'open', 'ended', 'left', name='roomstate', native_enum=False, length=32), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('remote_id', sa.String(length=120), nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('opened_at', sa.DateTime(), nullable=True),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('left_at', sa.DateTime(), nullable=True),
    sa.Column('attendance_at', sa.DateTime(), nullable=True),
    sa.Column('recording_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['user.id'], name=op.f('fk_external_room_made_by_id_user')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_external_room_session_id_session')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_external_room')),
    sa.UniqueConstraint('public_id', name=op.f('uq_external_room_public_id'))
    )
    with op.batch_alter_table('external_room', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_external_room_remote_id'), ['remote_id'], unique=False)
        batch_op.create_index('ix_external_room_session_id_state', ['session_id', 'state'], unique=False)

    op.create_table('rehearsal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=24), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('opened_by_id', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('last_chunk_at', sa.DateTime(), nullable=False),
    sa.Column('stopped_at', sa.DateTime(), nullable=True),
    sa.Column('swept_at', sa.DateTime(), nullable=True),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['opened_by_id'], ['user.id'], name=op.f('fk_rehearsal_opened_by_id_user')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_rehearsal_session_id_session')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rehearsal')),
    sa.UniqueConstraint('public_id', name=op.f('uq_rehearsal_public_id'))
    )
    with op.batch_alter_table('rehearsal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rehearsal_session_id'), ['session_id'], unique=False)

    op.create_table('stream_key',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.Enum('browser', 'srt', 'rtmp', name='source', native_enum=False, length=32), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('nonce', sa.String(length=64), nullable=False),
    sa.Column('port', sa.Integer(), nullable=True),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(), nullable=True),
    sa.Column('connected_at', sa.DateTime(), nullable=True),
    sa.Column('last_seen_at', sa.DateTime(), nullable=True),
    sa.Column('client_id', sa.String(length=80), nullable=True),
    sa.Column('kilobits', sa.Integer(), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', sa.DateTime(), nullable=True),
    sa.Column('lease_fence', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['made_by_id'], ['user.id'], name=op.f('fk_stream_key_made_by_id_user')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_stream_key_session_id_session')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stream_key')),
    sa.UniqueConstraint('name', name=op.f('uq_stream_key_name'))
    )
    with op.batch_alter_table('stream_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stream_key_session_id'), ['session_id'], unique=False)

    op.create_table('upload',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=40), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('purpose', sa.Enum('import', 'replace', name='uploadpurpose', native_enum=False, length=32), nullable=False),
    sa.Column('state', sa.Enum('uploading', 'waiting', 'working', 'done', 'failed', 'withdrawn', name='uploadstate', native_enum=False, length=32), nullable=False),
    sa.Column('file_name', sa.String(length=255), nullable=False),
    sa.Column('length', sa.BigInteger(), nullable=False),
    sa.Column('found', sa.Text(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('progress', sa.Double(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.Column('working_since', sa.DateTime(), nullable=True),
    sa.Column('lease_owner', sa.String(length=80), nullable=True),
    sa.Column('lease_until', sa.DateTime(), nullable=True),
    sa.Column('lease_fence', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_upload_session_id_session')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_upload_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_upload')),
    sa.UniqueConstraint('public_id', name=op.f('uq_upload_public_id'))
    )
    with op.batch_alter_table('upload', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_upload_session_id'), ['session_id'], unique=False)
        batch_op.create_index('ix_upload_state_updated_at', ['state', 'updated_at'], unique=False)

    op.create_table('destruction',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(length=24), nullable=False),
    sa.Column('keys', sa.Integer(), nullable=False),
    sa.Column('segments', sa.Integer(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('takes', sa.Integer(), nullable=False),
    sa.Column('keys_destroyed_at', sa.DateTime(), nullable=False),
    sa.Column('media_deleted_at', sa.DateTime(), nullable=True),
    sa.Column('checked_at', sa.DateTime(), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_destruction_recording_id_recording')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_destruction')),
    sa.UniqueConstraint('number', name=op.f('uq_destruction_number')),
    sa.UniqueConstraint('recording_id', name=op.f('uq_destruction_recording_id'))
    )
    op.create_table('recording_caption',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('label', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('cues', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('changed_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['made_by_id'], ['user.id'], name=op.f('fk_recording_caption_made_by_id_user')),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_recording_caption_recording_id_recording')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_caption')),
    sa.UniqueConstraint('recording_id', 'language', name=op.f('uq_recording_caption_recording_id_language'))
    )
    op.create_table('recording_chapter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('starts_seconds', sa.Double(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_recording_chapter_recording_id_recording')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_chapter')),
    sa.UniqueConstraint('recording_id', 'starts_seconds', name=op.f('uq_recording_chapter_recording_id_starts_seconds'))
    )
    op.create_table('recording_slide',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('starts_seconds', sa.Double(), nullable=True),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_recording_slide_recording_id_recording')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recording_slide')),
    sa.UniqueConstraint('recording_id', 'number', name=op.f('uq_recording_slide_recording_id_number'))
    )
    op.create_table('room_guest',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('room_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('pseudonym', sa.String(length=60), nullable=False),
    sa.Column('remote_id', sa.String(length=120), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=True),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['room_id'], ['external_room.id'], name=op.f('fk_room_guest_room_id_external_room')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_room_guest_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_room_guest')),
    sa.UniqueConstraint('room_id', 'pseudonym', name=op.f('uq_room_guest_room_id_pseudonym')),
    sa.UniqueConstraint('room_id', 'user_id', name=op.f('uq_room_guest_room_id_user_id'))
    )
    with op.batch_alter_table('room_guest', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_room_guest_user_id'), ['user_id'], unique=False)

    op.create_table('room_notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('provider', sa.Enum('address', 'bigbluebutton', 'zoom', name='roomprovider', native_enum=False, length=32), nullable=False),
    sa.Column('room_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(length=80), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('received_at', sa.DateTime(), nullable=False),
    sa.Column('handled_at', sa.DateTime(), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['room_id'], ['external_room.id'], name=op.f('fk_room_notice_room_id_external_room')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_room_notice')),
    sa.UniqueConstraint('digest', name=op.f('uq_room_notice_digest'))
    )
    op.create_table('watch_place',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('recording_id', sa.Integer(), nullable=False),
    sa.Column('seconds', sa.Double(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['recording.id'], name=op.f('fk_watch_place_recording_id_recording')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_watch_place_user_id_user')),
    sa.PrimaryKeyConstraint('user_id', 'recording_id', name=op.f('pk_watch_place'))
    )
    op.create_table('room_visit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('room_id', sa.Integer(), nullable=False),
    sa.Column('guest_id', sa.Integer(), nullable=True),
    sa.Column('remote_person', sa.String(length=200), nullable=False),
    sa.Column('joined_at', sa.DateTime(), nullable=False),
    sa.Column('left_at', sa.DateTime(), nullable=True),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('remote_event', sa.String(length=160), nullable=False),
    sa.Column('noted_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['guest_id'], ['room_guest.id'], name=op.f('fk_room_visit_guest_id_room_guest')),
    sa.ForeignKeyConstraint(['room_id'], ['external_room.id'], name=op.f('fk_room_visit_room_id_external_room')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_room_visit')),
    sa.UniqueConstraint('room_id', 'source', 'remote_event', name=op.f('uq_room_visit_room_id_source_remote_event'))
    )
    with op.batch_alter_table('room_visit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_room_visit_guest_id'), ['guest_id'], unique=False)

    with op.batch_alter_table('broadcast', schema=None) as batch_op:
        batch_op.add_column(sa.Column('break_since', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('handed_to_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('handed_at', sa.DateTime(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_broadcast_handed_to_id_user'), 'user', ['handed_to_id'], ['id'])

    with op.batch_alter_table('broadcast_take', schema=None) as batch_op:
        batch_op.add_column(sa.Column('source', sa.Enum('browser', 'srt', 'rtmp', name='source', native_enum=False, length=32), nullable=False, server_default='browser'))
        batch_op.add_column(sa.Column('client_key', sa.String(length=40), nullable=True))
        batch_op.create_unique_constraint(batch_op.f('uq_broadcast_take_broadcast_id_client_key'), ['broadcast_id', 'client_key'])

    with op.batch_alter_table('media_segment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rendition', sa.Enum('main', 'low', 'audio', name='rendition', native_enum=False, length=32), nullable=False, server_default='main'))
        batch_op.add_column(sa.Column('generation', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('sha256', sa.String(length=64), nullable=True))
    with op.batch_alter_table('media_segment', schema=None) as batch_op:
        batch_op.drop_constraint('pk_media_segment', type_='primary')
        batch_op.create_primary_key('pk_media_segment', ['recording_id', 'rendition', 'sequence'])

    op.add_column('recording', sa.Column('generation', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('recording', sa.Column('kept', sa.JSON(), nullable=True))
    op.add_column('recording', sa.Column('media_deleted_at', sa.DateTime(), nullable=True))
    op.add_column('session', sa.Column('reviews_recording', sa.Boolean(), nullable=False, server_default=sa.false()))



def downgrade() -> None:
    op.drop_column('session', 'reviews_recording')
    op.drop_column('recording', 'media_deleted_at')
    op.drop_column('recording', 'kept')
    op.drop_column('recording', 'generation')
    op.execute("DELETE FROM media_segment WHERE rendition != 'main'")
    with op.batch_alter_table('media_segment', schema=None) as batch_op:
        batch_op.drop_constraint('pk_media_segment', type_='primary')
        batch_op.create_primary_key('pk_media_segment', ['recording_id', 'sequence'])
    with op.batch_alter_table('media_segment', schema=None) as batch_op:
        batch_op.drop_column('sha256')
        batch_op.drop_column('generation')
        batch_op.drop_column('rendition')

    with op.batch_alter_table('broadcast_take', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_broadcast_take_broadcast_id_client_key'), type_='unique')
        batch_op.drop_column('client_key')
        batch_op.drop_column('source')

    with op.batch_alter_table('broadcast', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_broadcast_handed_to_id_user'), type_='foreignkey')
        batch_op.drop_column('handed_at')
        batch_op.drop_column('handed_to_id')
        batch_op.drop_column('break_since')

    with op.batch_alter_table('room_visit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_room_visit_guest_id'))

    op.drop_table('room_visit')
    op.drop_table('watch_place')
    op.drop_table('room_notice')
    with op.batch_alter_table('room_guest', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_room_guest_user_id'))

    op.drop_table('room_guest')
    op.drop_table('recording_slide')
    op.drop_table('recording_chapter')
    op.drop_table('recording_caption')
    op.drop_table('destruction')
    with op.batch_alter_table('upload', schema=None) as batch_op:
        batch_op.drop_index('ix_upload_state_updated_at')
        batch_op.drop_index(batch_op.f('ix_upload_session_id'))

    op.drop_table('upload')
    with op.batch_alter_table('stream_key', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_stream_key_session_id'))

    op.drop_table('stream_key')
    with op.batch_alter_table('rehearsal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rehearsal_session_id'))

    op.drop_table('rehearsal')
    with op.batch_alter_table('external_room', schema=None) as batch_op:
        batch_op.drop_index('ix_external_room_session_id_state')
        batch_op.drop_index(batch_op.f('ix_external_room_remote_id'))

    op.drop_table('external_room')

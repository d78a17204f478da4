"""what vouches for evidence, what people say against it, and what leaves for accreditors"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('auditor_door',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('society_id', sa.Integer(), nullable=False),
    sa.Column('session_ids', sa.JSON(), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(), nullable=True),
    sa.Column('sample', sa.JSON(), nullable=True),
    sa.Column('sample_drawn_at', sa.DateTime(), nullable=True),
    sa.Column('last_used_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['user.id'], name=op.f('fk_auditor_door_made_by_id_user')),
    sa.ForeignKeyConstraint(['society_id'], ['society.id'], name=op.f('fk_auditor_door_society_id_society')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_auditor_door')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_auditor_door_token_hash'))
    )
    op.create_table('attendance_import',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('problems', sa.JSON(), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['made_by_id'], ['user.id'], name=op.f('fk_attendance_import_made_by_id_user')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_attendance_import_session_id_session')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attendance_import')),
    sa.UniqueConstraint('session_id', 'digest', name=op.f('uq_attendance_import_session_id_digest'))
    )
    op.create_table('attendance_summary',
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('mode', sa.Enum('live', 'recorded', name='viewingmode', native_enum=False, length=32), nullable=False),
    sa.Column('seconds', sa.Integer(), nullable=False),
    sa.Column('window_seconds', sa.Integer(), nullable=False),
    sa.Column('first_at', sa.DateTime(), nullable=False),
    sa.Column('last_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_attendance_summary_session_id_session')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_attendance_summary_user_id_user')),
    sa.PrimaryKeyConstraint('session_id', 'user_id', 'mode', name=op.f('pk_attendance_summary'))
    )
    with op.batch_alter_table('attendance_summary', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attendance_summary_user_id'), ['user_id'], unique=False)

    op.create_table('attention_check',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('mode', sa.Enum('live', 'recorded', name='viewingmode', native_enum=False, length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('planned_second', sa.BigInteger(), nullable=False),
    sa.Column('issued_at', sa.DateTime(), nullable=False),
    sa.Column('expires_at', sa.DateTime(), nullable=False),
    sa.Column('answered_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_attention_check_session_id_session')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_attention_check_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attention_check')),
    sa.UniqueConstraint('session_id', 'user_id', 'mode', 'number', name=op.f('uq_attention_check_session_id_user_id_mode_number'))
    )
    with op.batch_alter_table('attention_check', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attention_check_user_id'), ['user_id'], unique=False)

    op.create_table('evidence_chain',
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('length', sa.Integer(), nullable=False),
    sa.Column('head', sa.String(length=64), nullable=False),
    sa.Column('closed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_evidence_chain_session_id_session')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_evidence_chain'))
    )
    op.create_table('evidence_link',
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Enum('viewing', 'visit', 'import', 'incident', 'correction', 'check', 'attempt', 'decision', 'certificate', 'closed', name='linkkind', native_enum=False, length=32), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('previous_hash', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_evidence_link_session_id_session')),
    sa.PrimaryKeyConstraint('session_id', 'number', name=op.f('pk_evidence_link'))
    )
    with op.batch_alter_table('evidence_link', schema=None) as batch_op:
        batch_op.create_index('ix_evidence_link_kind_subject', ['kind', 'subject'], unique=False)

    op.create_table('incident',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', sa.DateTime(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('declared_by_id', sa.Integer(), nullable=False),
    sa.Column('declared_at', sa.DateTime(), nullable=False),
    sa.Column('withdrawn_by_id', sa.Integer(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(), nullable=True),
    sa.Column('withdrawn_reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['declared_by_id'], ['user.id'], name=op.f('fk_incident_declared_by_id_user')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_incident_session_id_session')),
    sa.ForeignKeyConstraint(['withdrawn_by_id'], ['user.id'], name=op.f('fk_incident_withdrawn_by_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incident'))
    )
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_incident_session_id'), ['session_id'], unique=False)

    op.create_table('session_quiz',
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('draw', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_session_quiz_session_id_session')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('pk_session_quiz'))
    )
    op.create_table('test_paper',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('questions', sa.JSON(), nullable=False),
    sa.Column('drawn_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_test_paper_session_id_session')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_test_paper_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_test_paper')),
    sa.UniqueConstraint('session_id', 'user_id', 'number', name=op.f('uq_test_paper_session_id_user_id_number'))
    )
    op.create_table('appeal',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('grant_id', sa.Integer(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('picture', sa.JSON(), nullable=False),
    sa.Column('raised_at', sa.DateTime(), nullable=False),
    sa.Column('state', sa.Enum('open', 'upheld', 'declined', 'withdrawn', name='appealstate', native_enum=False, length=32), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('answered_by_id', sa.Integer(), nullable=True),
    sa.Column('answered_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['answered_by_id'], ['user.id'], name=op.f('fk_appeal_answered_by_id_user')),
    sa.ForeignKeyConstraint(['grant_id'], ['accreditation_grant.id'], name=op.f('fk_appeal_grant_id_accreditation_grant')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_appeal_session_id_session')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_appeal_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appeal'))
    )
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.create_index('ix_appeal_session_id_state', ['session_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_appeal_user_id'), ['user_id'], unique=False)

    op.create_table('certificate_paper',
    sa.Column('certificate_id', sa.Integer(), nullable=False),
    sa.Column('pdf', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('badge', sa.Text(), nullable=False),
    sa.Column('key_id', sa.String(length=64), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['certificate_id'], ['certificate.id'], name=op.f('fk_certificate_paper_certificate_id_certificate')),
    sa.PrimaryKeyConstraint('certificate_id', name=op.f('pk_certificate_paper'))
    )
    with op.batch_alter_table('certificate_paper', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_certificate_paper_sha256'), ['sha256'], unique=False)

    op.create_table('imported_visit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('import_id', sa.Integer(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('meeting', sa.String(length=120), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('remote_id', sa.String(length=200), nullable=False),
    sa.Column('joined_at', sa.DateTime(), nullable=False),
    sa.Column('left_at', sa.DateTime(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('matched_by', sa.Enum('nobody', 'address', 'pseudonym', 'hand', 'dismissed', name='matchedby', native_enum=False, length=32), nullable=False),
    sa.Column('reviewed_by_id', sa.Integer(), nullable=True),
    sa.Column('reviewed_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['import_id'], ['attendance_import.id'], name=op.f('fk_imported_visit_import_id_attendance_import')),
    sa.ForeignKeyConstraint(['reviewed_by_id'], ['user.id'], name=op.f('fk_imported_visit_reviewed_by_id_user')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_imported_visit_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_imported_visit'))
    )
    with op.batch_alter_table('imported_visit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_imported_visit_import_id'), ['import_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_imported_visit_user_id'), ['user_id'], unique=False)

    op.create_table('post_event_report',
    sa.Column('grant_id', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('changes', sa.Text(), nullable=False),
    sa.Column('improvements', sa.Text(), nullable=False),
    sa.Column('sponsors', sa.Text(), nullable=False),
    sa.Column('chair_name', sa.String(length=200), nullable=False),
    sa.Column('chair_role', sa.String(length=200), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=True),
    sa.Column('signed_at', sa.DateTime(), nullable=True),
    sa.Column('signed_by_id', sa.Integer(), nullable=True),
    sa.Column('sent_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['grant_id'], ['accreditation_grant.id'], name=op.f('fk_post_event_report_grant_id_accreditation_grant')),
    sa.ForeignKeyConstraint(['signed_by_id'], ['user.id'], name=op.f('fk_post_event_report_signed_by_id_user')),
    sa.PrimaryKeyConstraint('grant_id', name=op.f('pk_post_event_report'))
    )
    op.create_table('registry_export',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('grant_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('eiv', 'pars_activity', 'pars_learners', 'esmo_mora', name='registrykind', native_enum=False, length=32), nullable=False),
    sa.Column('operation', sa.String(length=20), nullable=False),
    sa.Column('rows', sa.JSON(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('sent_at', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['grant_id'], ['accreditation_grant.id'], name=op.f('fk_registry_export_grant_id_accreditation_grant')),
    sa.ForeignKeyConstraint(['made_by_id'], ['user.id'], name=op.f('fk_registry_export_made_by_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_registry_export'))
    )
    with op.batch_alter_table('registry_export', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_registry_export_grant_id'), ['grant_id'], unique=False)

    op.create_table('credit_correction',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('session_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('mode', sa.Enum('live', 'recorded', name='viewingmode', native_enum=False, length=32), nullable=False),
    sa.Column('kind', sa.Enum('add_presence', 'remove_presence', 'waive_checks', 'more_time', name='correctionkind', native_enum=False, length=32), nullable=False),
    sa.Column('from_second', sa.BigInteger(), nullable=True),
    sa.Column('to_second', sa.BigInteger(), nullable=True),
    sa.Column('until', sa.DateTime(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('appeal_id', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('proposed', 'approved', 'refused', 'withdrawn', name='correctionstate', native_enum=False, length=32), nullable=False),
    sa.Column('proposed_by_id', sa.Integer(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(), nullable=True),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['appeal_id'], ['appeal.id'], name=op.f('fk_credit_correction_appeal_id_appeal')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['user.id'], name=op.f('fk_credit_correction_decided_by_id_user')),
    sa.ForeignKeyConstraint(['proposed_by_id'], ['user.id'], name=op.f('fk_credit_correction_proposed_by_id_user')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_credit_correction_session_id_session')),
    sa.ForeignKeyConstraint(['user_id'], ['user.id'], name=op.f('fk_credit_correction_user_id_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_credit_correction'))
    )
    with op.batch_alter_table('credit_correction', schema=None) as batch_op:
        batch_op.create_index('ix_credit_correction_session_id_state', ['session_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_credit_correction_user_id'), ['user_id'], unique=False)

    with op.batch_alter_table('credit_decision', schema=None) as batch_op:
        batch_op.add_column(sa.Column('evidence_hash', sa.String(length=64), nullable=False, server_default=''))

    with op.batch_alter_table('faculty_member', schema=None) as batch_op:
        batch_op.add_column(sa.Column('presented_minutes', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('is_repeat', sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table('identifier', schema=None) as batch_op:
        batch_op.add_column(sa.Column('details', sa.JSON(), nullable=True))

    with op.batch_alter_table('test_item', schema=None) as batch_op:
        batch_op.add_column(sa.Column('hint', sa.String(length=200), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('retired_at', sa.DateTime(), nullable=True))

    with op.batch_alter_table('viewing_pass', schema=None) as batch_op:
        batch_op.add_column(sa.Column('frozen_at', sa.DateTime(), nullable=True))
        batch_op.create_index('ix_viewing_pass_frozen_at_issued_at', ['frozen_at', 'issued_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('viewing_pass', schema=None) as batch_op:
        batch_op.drop_index('ix_viewing_pass_frozen_at_issued_at')
        batch_op.drop_column('frozen_at')

    with op.batch_alter_table('test_item', schema=None) as batch_op:
        batch_op.drop_column('retired_at')
        batch_op.drop_column('hint')

    with op.batch_alter_table('identifier', schema=None) as batch_op:
        batch_op.drop_column('details')

    with op.batch_alter_table('faculty_member', schema=None) as batch_op:
        batch_op.drop_column('is_repeat')
        batch_op.drop_column('presented_minutes')

    with op.batch_alter_table('credit_decision', schema=None) as batch_op:
        batch_op.drop_column('evidence_hash')

    with op.batch_alter_table('credit_correction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_credit_correction_user_id'))
        batch_op.drop_index('ix_credit_correction_session_id_state')

    op.drop_table('credit_correction')
    with op.batch_alter_table('registry_export', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_registry_export_grant_id'))

    op.drop_table('registry_export')
    op.drop_table('post_event_report')
    with op.batch_alter_table('imported_visit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_imported_visit_user_id'))
        batch_op.drop_index(batch_op.f('ix_imported_visit_import_id'))

    op.drop_table('imported_visit')
    with op.batch_alter_table('certificate_paper', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_certificate_paper_sha256'))

    op.drop_table('certificate_paper')
    with op.batch_alter_table('appeal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_appeal_user_id'))
        batch_op.drop_index('ix_appeal_session_id_state')

    op.drop_table('appeal')
    op.drop_table('test_paper')
    op.drop_table('session_quiz')
    with op.batch_alter_table('incident', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_incident_session_id'))

    op.drop_table('incident')
    with op.batch_alter_table('evidence_link', schema=None) as batch_op:
        batch_op.drop_index('ix_evidence_link_kind_subject')

    op.drop_table('evidence_link')
    op.drop_table('evidence_chain')
    with op.batch_alter_table('attention_check', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attention_check_user_id'))

    op.drop_table('attention_check')
    with op.batch_alter_table('attendance_summary', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attendance_summary_user_id'))

    op.drop_table('attendance_summary')
    op.drop_table('attendance_import')
    op.drop_table('auditor_door')

"""Templates for technology and support."""

from __future__ import annotations

from agents.gallery.template import Template, Variable

TEMPLATES = (
    Template(
        key="incident-report",
        name="Incident report writer",
        icon="siren",
        category="Tech",
        description="Turns the notes of an incident into a blameless report with actions.",
        variables=(
            Variable(name="service", label="Service"),
            Variable(
                name="severity",
                label="Severity",
                kind="choice",
                choices=("Low", "Medium", "High", "Critical"),
                default="High",
            ),
            Variable(name="customers_affected", label="Customers affected", kind="number", required=False),
        ),
        tools=("datetime", "calculator", "artifact"),
        temperature=0.2,
        instructions="""
You write incident reports for {{ service }}. Severity: {{ severity }}. Customers affected: {{ customers_affected }}.

Write without blame: systems fail, people react. Keep every time exactly as noted. Mark guesses as guesses.

Write the report in these sections:
- Summary: what happened, for whom, for how long
- Timeline: each event with its time
- Root cause: what is known, and what is not
- Impact: customers affected, with figures
- What went well: what helped, one line each
- Action items: what must be done, by whom, by when

Then save the report as a Markdown file.
""",
        sample_values={"service": "Shop checkout", "severity": "High", "customers_affected": 1200},
        sample_input="""Write a report from these notes:

At 09:12 on 18 November 2026 the checkout began to answer with errors. At 09:15 the alarm called Niko Laine. At 09:31 he found
that the database had no free connections. The cause was a report that ran without a limit and kept 180 connections open. At
09:40 Iris Chen stopped the report and the errors ended at 09:43. About 1,200 customers could not pay, 4 % of the day.
The runbook helped to find the cause quickly. The alarm came three minutes late, which is a problem. The reporting team must add a
limit by 27 November 2026. Operations should lower the alarm's threshold by Friday.
""",
    ),
    Template(
        key="release-notes",
        name="Release notes writer",
        icon="rocket",
        category="Tech",
        description="Makes release notes that people read from commits and tickets.",
        variables=(
            Variable(name="product", label="Product"),
            Variable(name="version", label="Version", default="1.0"),
            Variable(
                name="audience",
                label="For",
                kind="choice",
                choices=("Everyone", "Administrators", "Developers"),
                default="Everyone",
            ),
        ),
        tools=("datetime", "artifact"),
        temperature=0.3,
        instructions="""
You write the release notes of {{ product }} {{ version }} for {{ audience }}. Say what changed for the reader, not how it was
built. Leave out what the reader cannot see.

Write in these sections:
- Highlights: the two or three changes that matter most
- New features: one line each
- Fixed problems: what failed before
- Changes that need action: what has to be done before or after the update
- Known issues: what does not work yet
""",
        sample_values={"product": "Atlas", "version": "4.2", "audience": "Administrators"},
        sample_input="""Write the notes from these changes:

- Added a new feature: people can export tables as CSV.
- Added search in the audit log, a new feature for administrators.
- Fixed a problem where sessions ended after five minutes.
- Fixed an error when a file name had an umlaut.
- Sign-in with the old protocol must be switched off by 31 January 2027; administrators have to enter the new address.
- Updated 14 libraries.
- Known issue: the calendar is slow with more than 10,000 entries.
""",
    ),
    Template(
        key="ticket-triage",
        name="Support ticket triage",
        icon="ticket",
        category="Tech",
        description="Sorts a support ticket, says how urgent it is and drafts the first answer.",
        variables=(
            Variable(name="product", label="Product"),
            Variable(
                name="teams",
                label="Teams to choose from",
                kind="long_text",
                default="Accounts, Billing, Network, Applications",
            ),
        ),
        temperature=0.1,
        instructions="""
You triage support tickets for {{ product }}. Choose one of these teams: {{ teams }}.

Urgency is high when many people cannot work, when data is at risk, or when a date is near. Never promise a time. Never ask for
passwords.

Answer in these sections:
- Summary: the problem in one sentence
- Urgency: how urgent it is (high, normal or low), with the reason
- Team: one of the list, with the reason
- Facts: names, dates, versions, error messages
- Open questions: what to ask
- Draft reply: a friendly first answer
""",
        sample_values={"product": "Atlas", "teams": "Accounts, Billing, Network, Applications"},
        sample_input="""Triage this ticket:

From: omar.haddad@example.org, 23 November 2026. Since this morning nobody in our office in Oslo can open Atlas. The page shows
"Error 503: no upstream". We are 45 people and must send the monthly report by 25 November 2026. It still works from home. We use
version 4.1. Please help quickly, this is urgent. Is there a way to reach the reports in the meantime?
""",
    ),
    Template(
        key="meeting-minutes",
        name="Meeting minutes",
        icon="notebook-pen",
        category="Tech",
        description="Makes clear minutes with decisions and tasks from rough notes.",
        variables=(
            Variable(name="meeting", label="Meeting", default="Team meeting"),
            Variable(name="meeting_date", label="Date", kind="date", required=False),
        ),
        tools=("datetime", "artifact"),
        temperature=0.2,
        instructions="""
You write the minutes of "{{ meeting }}" held on {{ meeting_date }}.

Keep to what was said. A task without a person or a date is listed all the same, with the gap named.

Write the minutes in these sections:
- Participants: the people named
- Summary: what the meeting was about
- Decisions: what was decided
- Action items: who does what by when
- Open questions: what stays undecided
""",
        sample_values={"meeting": "Platform weekly", "meeting_date": "2026-11-23"},
        sample_input="""Write minutes from these notes:

Tara Singh, Niko Laine and Iris Chen met on 23 November 2026. The move to the new storage went well and is finished for 80 % of
the data. We decided to switch the old storage off on 18 December 2026. Niko Laine will prepare the checklist by Friday. Iris
Chen should tell the customers by 4 December 2026. It is still unclear who pays for the second data centre. The team agreed to
meet on Tuesdays from now on. The budget for tools is €12,000 and half of it is spent.
""",
    ),
)

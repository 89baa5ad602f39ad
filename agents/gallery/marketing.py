"""Templates for marketing."""

from __future__ import annotations

from agents.gallery.template import Template, Variable

_TONE = Variable(
    name="tone",
    label="Tone",
    kind="choice",
    choices=("Friendly", "Factual", "Bold", "Formal"),
    default="Friendly",
    help="How the text should sound",
)

TEMPLATES = (
    Template(
        key="campaign-brief",
        name="Campaign brief writer",
        icon="megaphone",
        category="Marketing",
        description="Turns loose notes into a campaign brief that a team can work from.",
        variables=(
            Variable(name="audience", label="Audience", help="Who should be reached", default="Existing customers"),
            Variable(name="budget_eur", label="Budget in euro", kind="number", required=False),
            Variable(name="launch_date", label="Launch date", kind="date", required=False),
        ),
        tools=("datetime", "calculator", "artifact"),
        temperature=0.4,
        instructions="""
You write campaign briefs for the marketing team. The audience is {{ audience }}. Budget in euro: {{ budget_eur }}.
Launch date: {{ launch_date }}.

Work only with what the notes say. Where something important is missing, say so under open questions instead of inventing it.

Write the brief in these sections:
- Summary: two or three sentences that anyone understands
- Key messages: who should do what, and why they would
- Channels and activities: social media, fairs, newsletter, one line each
- Dates and milestones: every date that the notes name
- Budget and figures: amounts and shares, added up with the calculator
- Risks: what could go wrong
- Open questions: what has to be decided, and by whom

Then save the brief as a Markdown file.
""",
        sample_values={"audience": "Cyclists in cities", "budget_eur": 40000, "launch_date": "2027-03-15"},
        sample_input="""Write a brief from these notes:

We launch the Lumen bike light on 15 March 2027. It charges in 20 minutes and costs €49. Anna Keller leads the campaign.
The budget is €40,000: 60 % for social media, 25 % for two trade fairs, the rest for the newsletter. Our main message is
that nobody should ride unseen. The product page must be ready by 1 March 2027. Packaging is late, which is a risk for the
launch. It is still open whether subscribers get a discount. Tom Brandt should book the trade fair in Munich by
Friday. Last year's campaign reached 120,000 people and 3.2 % of them bought.
""",
    ),
    Template(
        key="social-posts",
        name="Social post planner",
        icon="calendar-days",
        category="Marketing",
        description="Plans a week of social posts from an announcement.",
        variables=(
            _TONE,
            Variable(
                name="channel",
                label="Channel",
                kind="choice",
                choices=("LinkedIn", "Instagram", "Mastodon", "Several"),
                default="Several",
            ),
            Variable(name="hashtags", label="Fixed hashtags", required=False, help="Used in every post"),
        ),
        tools=("datetime",),
        temperature=0.7,
        instructions="""
You plan social posts for {{ channel }} in a {{ tone }} tone. Use these hashtags in every post: {{ hashtags }}.

Every post says one thing, names the benefit first and ends with what the reader can do. Keep facts exactly as they are given.

Deliver the plan in these sections:
- Key message: the one sentence that all posts carry
- Posts: five, each with a day and a text of at most 280 characters
- Dates to hit: every date in the announcement
- Facts and figures: numbers that may be used as they stand
- Pictures: what each post could show
""",
        sample_values={"tone": "Friendly", "channel": "LinkedIn", "hashtags": "#opendata #cities"},
        sample_input="""Plan posts for this announcement:

On 4 December 2026 the city of Aarlund opens its traffic data to everybody. More than 1,400 sensors report how many bikes,
buses and cars pass, every five minutes. Schools and start-ups can use the data free of charge. "People paid for this data, so
they should have it", says Mayor Ingrid Solberg. A hackathon with prizes of €10,000 follows on 16 January 2027; places are
limited to 120. Registration opens on the portal next Monday.
""",
    ),
    Template(
        key="press-release-check",
        name="Press release checker",
        icon="newspaper",
        category="Marketing",
        description="Reads a press release as an editor would and lists what to mend.",
        variables=(
            Variable(
                name="house_rules", label="House rules", kind="long_text", required=False, help="Words to use or avoid"
            ),
            Variable(name="embargo", label="Embargo until", kind="date", required=False),
        ),
        temperature=0.1,
        instructions="""
You check press releases before they go out. House rules: {{ house_rules }}. Embargo until: {{ embargo }}.

Quote the exact words that you talk about. Do not rewrite the whole text.

Report in these sections:
- Verdict: ready, nearly ready or not ready, with one reason
- Key message: what a reader will remember
- Facts to verify: names, dates, amounts and claims, each with where it stands
- Problems: what is unclear, exaggerated or missing
- Suggested changes: old words and new words
""",
        sample_values={"house_rules": "Say “people”, not “users”. No superlatives.", "embargo": "2026-12-01"},
        sample_input="""Check this release:

Nordwind GmbH presents the best heat pump ever built. The new NW-8 uses up to 40 % less power than older devices, says
managing director Petra Lang. It will be available from 1 December 2026 for 8,900 euros. More than 2,000 users have already
pre-ordered it. However, delivery could be delayed for customers in the south. An independent test by the Institute for
Building Physics is not yet finished. Contact: press@nordwind.example
""",
    ),
    Template(
        key="web-page-summary",
        name="Web page summariser",
        icon="globe",
        category="Marketing",
        description="Reads a page on the web and says what matters in it for you.",
        variables=(
            Variable(name="interest", label="What matters to you", default="prices, dates and new features"),
            Variable(
                name="length", label="Length", kind="choice", choices=("Short", "Medium", "Long"), default="Short"
            ),
        ),
        tools=("web_page", "datetime"),
        temperature=0.2,
        instructions="""
You read web pages for busy people. Fetch every address in the input. The reader cares about {{ interest }}.
The summary should be {{ length }}.

If a page cannot be read, say so and why. Quote figures exactly, and never add what the page does not say.

Answer in these sections:
- Summary: what the page says
- Key points: what matters for the reader's interest
- Dates and figures: as they stand on the page
- Source: the address and the page's title
""",
        sample_values={"interest": "what the page is for and who runs it", "length": "Short"},
        sample_input="Summarise https://example.org/",
    ),
)

"""Templates for finance."""

from __future__ import annotations

from agents.gallery.template import Template, Variable

_CURRENCY = Variable(
    name="currency", label="Currency", kind="choice", choices=("EUR", "USD", "GBP", "CHF"), default="EUR"
)

TEMPLATES = (
    Template(
        key="invoice-extractor",
        name="Invoice extractor",
        icon="receipt",
        category="Finance",
        description="Pulls number, dates, parties and amounts out of an invoice and checks the sums.",
        variables=(
            _CURRENCY,
            Variable(name="cost_centre", label="Cost centre", required=False),
            Variable(name="check_tax", label="Check the tax", kind="boolean", default=True, required=False),
        ),
        tools=("calculator", "datetime", "artifact"),
        temperature=0,
        instructions="""
You read invoices. Amounts are in {{ currency }}. Cost centre: {{ cost_centre }}. Check the tax: {{ check_tax }}.

Copy numbers exactly. Recalculate every sum with the calculator and say where the invoice disagrees. Leave a field empty when
the invoice does not name it.

Give the result in these sections:
- Contacts: who sends and who pays, with address
- Dates: invoice date, delivery, due date
- Amounts: net, tax, total, as a table
- Calculations: which sums are right and which are not
- Open questions: what is missing or unclear

Then save the fields as a JSON file.
""",
        sample_values={"currency": "EUR", "cost_centre": "4711", "check_tax": True},
        sample_input="""Extract the fields of this invoice:

Invoice 2026-1187
From: Papierwerk Nord GmbH, billing@papierwerk.example. To: Stadtbibliothek Aarlund, Mrs Karin Holt.
Invoice date: 2026-11-12. Please pay by 2026-12-12.
40 boxes of paper at €23.50 are €940.00. Delivery costs €35.00.
The net amount is €975.00, 19 % tax is €185.25 and the total is €1,160.25.
Calculation: 40 * 23.50 + 35. Calculation: 975 * 0.19.
The order number is missing, and the delivery address is unclear.
""",
    ),
    Template(
        key="expense-report",
        name="Expense report summary",
        icon="wallet",
        category="Finance",
        description="Adds up a list of expenses by person or category and marks what stands out.",
        variables=(
            Variable(name="group_by", label="Group by", default="category", help="A column of the table"),
            Variable(name="limit_eur", label="Mark amounts above", kind="number", default=500),
        ),
        tools=("csv_table", "calculator", "artifact"),
        temperature=0,
        instructions="""
You summarise expense reports that are given as CSV. Add the amounts up by the column {{ group_by }} with csv_aggregate.
Mark every single expense above {{ limit_eur }} euro.

Never estimate: every figure comes from a tool.

Write the report in these sections:
- Figures: a table with the sums and the total
- Above the limit: every expense that has to be approved
- Remarks: missing receipts, odd dates, double entries
""",
        sample_values={"group_by": "category", "limit_eur": 500},
        sample_input="""What is the total amount by category?

date,person,category,amount,receipt
2026-11-02,Lena Costa,Travel,412.80,yes
2026-11-03,Omar Haddad,Travel,89.50,yes
2026-11-05,Lena Costa,Meals,64.20,no
2026-11-09,Finn Berg,Software,1290.00,yes
2026-11-12,Omar Haddad,Meals,38.75,yes
2026-11-17,Finn Berg,Travel,655.10,yes
2026-11-20,Lena Costa,Software,240.00,yes
""",
    ),
    Template(
        key="budget-variance",
        name="Budget variance explainer",
        icon="scale",
        category="Finance",
        description="Compares plan and actual figures and explains the differences in plain words.",
        variables=(
            Variable(name="period", label="Period", default="this quarter"),
            Variable(name="threshold_percent", label="Explain differences above (%)", kind="number", default=5),
        ),
        tools=("csv_table", "calculator"),
        temperature=0.2,
        instructions="""
You explain budget variances for {{ period }} to managers who are no accountants. Explain every difference of more than
{{ threshold_percent }} percent. Calculate each difference with the calculator: actual minus plan, and as a share of plan.

Keep apart what the figures show and what the notes say. Where nobody gave a reason, write that the reason is unknown.

Answer in these sections:
- Summary: the result in two sentences
- Figures: plan, actual and difference, as a table
- Main reasons: one line each, with the amount it explains
- Risks: what may get worse
- Next steps: who should do what
""",
        sample_values={"period": "Q3 2026", "threshold_percent": 5},
        sample_input="""Explain these figures:

Personnel was planned at €480,000 and came to €502,000, because three positions were filled in July instead of October.
Travel was planned at €60,000 and came to €41,000; two conferences were held online. Cloud services were planned at €90,000
and came to €118,000. The new search service was switched on in August 2026, and old servers still run beside it, which is a
risk for Q4 2026. The IT department should switch the old servers off by 15 December 2026. The difference for cloud services
is 118,000 - 90,000 and for personnel 502,000 - 480,000.
""",
    ),
    Template(
        key="payment-reminder",
        name="Payment reminder writer",
        icon="mail",
        category="Finance",
        description="Writes a polite or firm reminder from the facts of an open invoice.",
        variables=(
            Variable(name="customer", label="Customer"),
            Variable(name="amount", label="Open amount", kind="number"),
            Variable(name="due_date", label="Due date", kind="date"),
            Variable(
                name="level", label="Reminder", kind="choice", choices=("First", "Second", "Last"), default="First"
            ),
        ),
        tools=("datetime",),
        temperature=0.3,
        instructions="""
You write payment reminders. Customer: {{ customer }}. Open amount: {{ amount }} euro. It was due on {{ due_date }}.
This is the {{ level }} reminder: the first is friendly, the second is firm, the last one names what follows.

Count the days since the due date with the tools. Threaten nothing that the input does not name.

Write the letter in these sections:
- Subject: one line
- Letter: greeting, facts, a clear request with a date, closing
- Facts used: amounts and dates, for checking
""",
        sample_values={"customer": "Café Lindgren", "amount": 840, "due_date": "2026-10-31", "level": "Second"},
        sample_input="""Write the reminder. How many days lie between 2026-10-31 and 2026-11-23?

Café Lindgren, Mr Jonas Lindgren, ordered on 1 October 2026. The invoice 2026-0932 over €840 was due on 31 October 2026.
The first reminder was sent on 10 November 2026. Please ask for payment by 4 December 2026. He called and said that the
delivery had been incomplete; the warehouse has confirmed that one box was sent late.
""",
    ),
)

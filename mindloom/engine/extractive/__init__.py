"""What the Offline model can do: find, pick and arrange what stands in a text. Deterministic, without a network or a
model.

`reading` takes a text apart, `asking` understands what instructions and input want, `calling` fills tools from the
input, and `writing` puts an answer together. Plain functions on plain text; nothing here knows of Agno.
"""

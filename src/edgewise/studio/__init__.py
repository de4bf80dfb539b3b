"""The studio: a local web application to refine, compare, correct and save masks.

`app.create_app` makes it from an engine; the page that it serves is in `page/`. Needs the extra
`studio`.
"""

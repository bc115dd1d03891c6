"""One file per outside thing, each translating foreign errors into ours. Edges decide nothing and import no sibling."""

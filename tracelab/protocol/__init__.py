"""What travels between Python and the explorer, typed once: the view document, messages of runs, answers of the panel.

The TypeScript types, the reader that validates a document, and `labextension/VIEW_DOCUMENT.md` are generated from this
room (`npm run codegen` in `labextension/`). It imports nothing but the standard library, so that the generator needs no
torch.
"""

"""The pyproject.toml of a project that setuptools builds, and the setup.py that makes it native."""

NATIVE = "import setuptools\nsetuptools.setup(ext_modules=[setuptools.Extension('momentum', ['m.c'])])\n"


def pyproject(*, version: str = "1", python: str = ">=3.11") -> str:
    """Return the text of a pyproject.toml, to which tables can be added."""
    return (
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "momentum"\nversion = "{version}"\nrequires-python = "{python}"\n'
    )

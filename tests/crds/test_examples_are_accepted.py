"""The API server takes the examples as they are."""

from pathlib import Path

import pytest
import yaml
from support.kube_api import PLURALS, KubeApi
from support.manifests import Manifest, changed

pytestmark = pytest.mark.stack

EXAMPLES = Path(__file__).parents[2] / "examples"
MANIFESTS = [
    pytest.param(manifest, id=f"{path.parent.name} {manifest['metadata']['name']}")
    for path in sorted(EXAMPLES.glob("*/*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
    if manifest["kind"] in PLURALS
]


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_an_example_is_accepted(kube: KubeApi, manifest: Manifest) -> None:
    # The example's own namespace is not there: a dry run needs one that is.
    here = changed(manifest, {"metadata.namespace": "default"})
    assert kube.create(here, dry_run=True)["spec"] == manifest["spec"]

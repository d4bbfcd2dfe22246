from __future__ import annotations

import dataclasses

from infra.node import components, images
from infra.node.components import Component

KUBERNETES = Component("kubernetes", "k8s.io/kubernetes", "v1.34.4", {"kubelet": "cmd/kubelet"}, staging="v0.34.4")


def test_a_library_that_upstream_takes_from_its_repository_is_taken_as_a_module() -> None:
    upstream = {
        "Go": "1.24.0",
        "Replace": [{"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}}],
    }
    text = components.go_mod(KUBERNETES, upstream)
    assert "replace k8s.io/api => k8s.io/api v0.34.4" in text.splitlines()
    assert "tool k8s.io/kubernetes/cmd/kubelet" in text.splitlines()
    assert "require k8s.io/kubernetes v1.34.4" in text.splitlines()


def test_what_upstream_replaces_and_excludes_is_repeated_but_for_what_the_table_leaves_out() -> None:
    upstream = {
        "Go": "1.25.0",
        "Replace": [
            {"Old": {"Path": "a.org/fork", "Version": "v1.0.0"}, "New": {"Path": "b.org/fork", "Version": "v1.0.1"}},
            {"Old": {"Path": "c.org/gone"}, "New": {"Path": "d.org/gone", "Version": "v2.0.0"}},
            {"Old": {"Path": "e.org/local"}, "New": {"Path": "../local"}},
        ],
        "Exclude": [{"Path": "f.org/broken", "Version": "v0.1.0"}],
    }
    component = Component("x", "x.org/x", "v1.0.0", {"x": "."}, without_replace=("c.org/gone",))
    lines = components.go_mod(component, upstream).splitlines()
    assert [line for line in lines if line.startswith("replace")] == ["replace a.org/fork v1.0.0 => b.org/fork v1.0.1"]
    assert "exclude f.org/broken v0.1.0" in lines
    assert "tool x.org/x" in lines


def test_another_version_flag_or_compiler_is_another_key() -> None:
    keys = {
        components.key(KUBERNETES, "go1.26.8"),
        components.key(KUBERNETES, "go1.27.0"),
        components.key(dataclasses.replace(KUBERNETES, version="v1.34.5"), "go1.26.8"),
        components.key(dataclasses.replace(KUBERNETES, tags="netgo"), "go1.26.8"),
    }
    assert len(keys) == 4


def test_every_image_of_a_component_holds_a_program_that_is_built() -> None:
    built = {component.name: component for component in components.load() if not component.apart}
    for image in images.load():
        if image.component:
            assert image.name in built[image.component].binaries, image.name

"""Histories tell which release of the platform carried a request on."""

from __future__ import annotations

from importlib.metadata import version

from support.world import World


async def test_a_history_names_the_release_and_leaves_the_workflow_free_to_go_on_with_another(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    history = await request.handle.fetch_history()
    done = [
        event.workflow_task_completed_event_attributes
        for event in history.events
        if event.HasField("workflow_task_completed_event_attributes")
    ]
    assert done
    assert {one.worker_version.build_id for one in done} == {version("commissary")}
    assert not any(one.worker_version.use_versioning for one in done)
    info = (await request.handle.describe()).raw_description.workflow_execution_info
    assert not info.versioning_info.HasField("deployment_version")

"""A report of 1,000 classes and 1,000,000 predictions: small, quick to open, made in little memory."""

import hashlib
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docs.screenshots import started
from onepass.core import write_csv, write_sealed_json
from onepass.evaluation import Abstentions, ClassMetrics, Metrics, Prediction
from onepass.features import FINGERPRINT_FILE, Store
from onepass.heads import TrainedHead, write_head
from onepass.photos import Assignment, Quarantined, write_rows
from onepass.photos import Image as ImageRow
from onepass.statistics import wilson
from tests.browser.browser import needs_browser, opened
from tests.browser.report_project import FEATURES, FOLDERS, HEAD, OUT, PREPARED
from tests.builders import MEASURED, new_project, table

CLASSES = [f"class {number:03}" for number in range(1000)]
IMAGES = 1_000_000
PHOTOS = 50  # different ones
MEMORY = 600 << 20  # bytes, of which 9 GB of predictions must need next to nothing


def write_workspace(project: Path) -> list[tuple[str, str]]:
    """Everything but the predictions, as the stages would leave it. The hashes and names of the photos."""
    random = np.random.default_rng(0)
    photos = []
    for number in range(PHOTOS):  # noise: no picture compresses worse
        path = project.parent / "photos" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 256, (300, 400, 3), np.uint8)).save(path)
        photos.append((hashlib.sha256(path.read_bytes()).hexdigest(), path.name))
    low, high = wilson(0.9, IMAGES)
    classes = [ClassMetrics(name, 0.9, 0.9, 0.9, IMAGES // len(CLASSES)) for name in CLASSES]
    write_csv(project / OUT / "classes.csv", ClassMetrics._fields, classes)
    metrics = Metrics(
        accuracy=0.9,
        accuracy_low=low,
        accuracy_high=high,
        log_loss=6.9,
        roc_auc=0.9,
        expected_calibration_error=0.0,
        images=IMAGES,
        correct=IMAGES * 9 // 10,
        split="validation",
        chose_the_epoch=True,
        best_epoch=1,
        epochs=1,
    )
    abstentions = Abstentions(
        refuse=0.02,
        chosen_on=1000,
        chose_the_limits=True,
        temperature=1.0,
        images=IMAGES,
        unsure=IMAGES // 200,
        unfamiliar=IMAGES // 100,
        refused=IMAGES // 100,
        answered_correct=IMAGES * 9 // 10,
        in_set=IMAGES * 95 // 100,
        classes_in_sets=3.5,
    )
    store = Store(IMAGES, "uint8", [64, 64, 3], {"layer": "input", "image_side": 64}, "")
    kernel, bias = np.zeros((4, len(CLASSES)), np.float32), np.zeros(len(CLASSES), np.float32)
    write_head(project / HEAD, TrainedHead(CLASSES, "softmax", 1 / 255, "none", weights=[kernel, bias]))
    files = {
        OUT / "metrics.json": metrics.model_dump_json(),
        OUT / "findings.json": "[]",
        OUT / "abstentions.json": abstentions.model_dump_json(),
        OUT / "coverage.csv": f"coverage,images,accuracy,low,high\n1,{IMAGES},0.9,0.89,0.91\n",
        OUT / "nearest.csv": "hash,training_hash,file,label,cosine\n",
        OUT / "reliability.csv": f"confidence,accuracy,images\n0.1,0.1,{IMAGES}\n",
        PREPARED / "images.csv": ",".join(ImageRow._fields) + "\n" + "00,x.jpg,400,300,0,,\n" * IMAGES,
    }
    for name, content in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    write_sealed_json(project / FEATURES / FINGERPRINT_FILE, store._asdict())
    write_rows(project / PREPARED / "quarantine.csv", Quarantined, [])
    write_rows(project / PREPARED / "splits.csv", Assignment, [])
    return photos


def write_predictions(pipe: Path, photos: list[tuple[str, str]]) -> None:
    """Sends the rows through a pipe: 9 GB that no disk has to hold. Nine of ten predictions are right."""
    columns = [*Prediction._fields, *(f"p_{name}" for name in CLASSES)]
    chances = ",".join(["0.001000"] * len(CLASSES)).encode()
    with pipe.open("wb", buffering=1 << 20) as file:
        file.write(table(columns, []))
        for number in range(IMAGES):
            label, block = number % 1000, number // 1000
            predicted = label if block % 10 else (label + 1 + block // 10 % 9) % 1000
            names = (*photos[number % PHOTOS], "validation", CLASSES[label], CLASSES[predicted])
            file.write(b"%s,%s\n" % (",".join(names).encode(), chances))


@needs_browser
@pytest.mark.more
def test_a_thousand_classes_and_a_million_predictions_give_a_small_page_at_once(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    project.set({"data.root": str(tmp_path / "photos")})
    photos = write_workspace(project.folder)
    pipe = project.folder / OUT / "predictions.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=write_predictions, args=(pipe, photos), daemon=True)
    writer.start()
    output = project.run(sys.executable, "-c", MEASURED, sys.executable, "-m", "stages.report", *FOLDERS)
    assert int(output.split()[-1]) < MEMORY

    page = project.folder / OUT / "report.html"
    assert page.stat().st_size < 5_000_000
    with started() as browser:
        start = time.monotonic()
        with opened(browser, page) as (opened_page, _, messages):
            assert time.monotonic() - start < 2
            assert opened_page.locator("img").count() == 48
            assert "970 more are in metrics/classes.csv" in opened_page.inner_text("#main")
            assert "of 9,000 pairs" in opened_page.inner_text("#main")
            assert messages == []

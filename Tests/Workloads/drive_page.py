"""Opens a page in headless Chromium, does what the lines of standard input say, and prints an answer for each as JSON.

Lines: `script JAVASCRIPT` (its value), `wait JAVASCRIPT` (until it is true), `click ID`, `type ID TEXT`, `keys KEY…` (to the flame graph; names of selenium's
Keys), `canvas ID X Y [X2 Y2]` (a click, or a drag), `size WIDTH HEIGHT`, `theme dark|light`,
`shot FILE`, `console` (its messages at level SEVERE), `errors`
(the same, and requests other than for the page itself).
"""

import json
import sys

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait


def start():
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1000"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options)


def point(driver, canvas, x, y):
    """Selenium counts from an element's middle."""
    size = canvas.rect
    return x - int(size["width"]) // 2, y - int(size["height"]) // 2


def drag(driver, canvas, numbers):
    driver.execute_script("arguments[0].scrollIntoView({ block: 'start' })", canvas)
    actions = ActionChains(driver)
    actions.move_to_element_with_offset(canvas, *point(driver, canvas, numbers[0], numbers[1]))
    if len(numbers) == 2:
        actions.click()
    else:
        actions.click_and_hold().pause(0.05)
        actions.move_to_element_with_offset(canvas, *point(driver, canvas, numbers[2], numbers[3])).release()
    actions.perform()


def requests(driver, page):
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            url = message["params"]["request"]["url"]
            if url != page and not url.startswith("data:"):
                yield url


def answer(driver, page, line):
    word, _, rest = line.partition(" ")
    if word == "script":
        return driver.execute_script(rest)
    if word == "wait":
        # Until it is true.
        return WebDriverWait(driver, 30).until(lambda _: driver.execute_script(f"return {rest}"))
    if word == "click":
        return driver.find_element(By.ID, rest).click()
    if word == "type":
        name, _, text = rest.partition(" ")
        return driver.find_element(By.ID, name).send_keys(text)
    if word == "keys":
        return driver.find_element(By.ID, "flame").send_keys(*[getattr(Keys, key) for key in rest.split()])
    if word == "canvas":
        name, *numbers = rest.split()
        return drag(driver, driver.find_element(By.ID, name), [int(number) for number in numbers])
    if word == "size":
        # Chromium's window is no narrower than 500: what it shows is.
        width, height = map(int, rest.split())
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        return driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if word == "theme":
        features = [{"name": "prefers-color-scheme", "value": rest}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        # The page hears of it at its next frame.
        return driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    if word == "shot":
        return driver.save_screenshot(rest)
    if word in ("console", "errors"):
        severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        return severe + (list(requests(driver, page)) if word == "errors" else [])
    raise SystemExit(f"no such line: {line}")


def main():
    page = sys.argv[1]
    driver = start()
    try:
        driver.get(page)
        for line in sys.stdin:
            print(json.dumps(answer(driver, page, line.rstrip("\n"))))
    finally:
        driver.quit()


main()

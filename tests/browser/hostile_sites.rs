//! Pages of others that a signed-in visitor opens: they read nothing, frame nothing and change nothing.

use crate::common::server::TestServer;
use crate::common::stranger::Stranger;
use crate::window::Window;

/// A page that tries all it can.
fn page(site: &str) -> String {
    let body = format!(
        "<!doctype html><title>Hostile</title>\
         <form id=form method=post action=\"{site}/connect\">\
         <input name=name value=Stolen><input name=all_events value=true>\
         <input name=security_profile value=full><input name=gate value=\"\">\
         <input name=once value=mark><input name=csrf value=guessed><button>Send</button></form>\
         <iframe id=frame src=\"{site}/devices\"></iframe>\
         <script>window.tried = Promise.all([\
         fetch('{site}/devices', {{credentials: 'include'}}).then(() => 'read', () => 'refused'),\
         fetch('{site}/devices', {{credentials: 'include', mode: 'no-cors'}}).then(a => a.type, () => 'refused'),\
         fetch('{site}/sign-out', {{method: 'POST', credentials: 'include', mode: 'no-cors',\
           body: new URLSearchParams({{everywhere: '1'}})}}).then(a => a.type, () => 'refused'),\
         ]).then(all => window.told = all);</script>"
    );
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_is_refused_whatever_it_tries() {
    let server = TestServer::start().await;
    server.create_device("Lane").await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    let stranger = Stranger::answering(page(&server.url));
    // Another site, and another port of the same, whose requests bring the cookie.
    for host in ["localhost", "127.0.0.1"] {
        let hostile = stranger.url.replace("127.0.0.1", host);
        window.driver.goto(&hostile).await.unwrap();
        let told = window
            .wait("what was tried", async || {
                let told = window.run("return window.told ?? null").await;
                (!told.is_null()).then_some(told)
            })
            .await;
        assert_eq!(told[0], "refused", "{host}: {told}");
        // Of what can't be read it may be known that it was asked for; the browser is told to let even that be.
        assert_eq!(told[1], "refused", "{host}: {told}");
        window.driver.enter_frame(0).await.unwrap();
        assert!(!window.has("#main").await, "{host}: framed");
        window.driver.enter_parent_frame().await.unwrap();
        window.click("#form button").await;
        window.reads("main", "not valid any more").await;
        let made = server.store.device_count(server.organizer).await.unwrap();
        assert_eq!(made, 1, "{host}");
        // The browser tells who has the page open that it refused.
        window.complaints().await;
        window.open("/devices").await;
        window.see("#device-1").await;
    }
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_stands_in_the_page_itself_is_run() {
    let server = TestServer::start().await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/devices").await;
    // As if somebody had got markup into it.
    window
        .run(
            "const script = document.createElement('script');\
             script.textContent = 'window.wasRun = true';\
             document.body.append(script);\
             document.body.insertAdjacentHTML('beforeend', '<b id=bold onclick=\"window.wasRun = true\">x</b>');\
             const far = document.createElement('script'); far.src = 'http://localhost:9/x.js';\
             document.body.append(far);\
             document.getElementById('bold').click();",
        )
        .await;
    assert_eq!(window.run("return window.wasRun ?? false").await, false);
    let mut complaints = Vec::new();
    window
        .wait("the policy's complaints", async || {
            complaints.extend(window.complaints().await);
            (complaints.len() >= 3).then_some(())
        })
        .await;
    for complaint in &complaints {
        assert!(complaint.contains("Content Security Policy"), "{complaint}");
    }
    window.close().await;
}
